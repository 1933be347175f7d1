complete -c autoipd -s a -l announcements -d 'Number of announcements after a claim, 1 to 16 [default: 2]' -r
complete -c autoipd -s c -l config -d 'File with more settings [default: /etc/autoip/autoipd.toml, where there is one]' -r -F
complete -c autoipd -s i -l interface -d 'Interface to manage, or a pattern with * and ? for many; may be given more than once' -r
complete -c autoipd -s o -l options -d 'Interface to manage with the options of nfm-autoip.so: if=NAME (default en0), ip=ADDR, delay=MS between probes (1 to 8000, default 2000), debug, abandon. Claims an address beside a routable one. May be given more than once' -r
complete -c autoipd -s p -l probes -d 'Number of probes, 1 to 16 [default: 3]' -r
complete -c autoipd -s s -l start -d 'Address to try first, 169.254.1.0 to 169.254.254.255 [default: the remembered one, else one that follows from the MAC address]' -r
complete -c autoipd -s t -l wait -d 'Seconds to leave to DHCP after a link comes up, 0 to 86400 [default: 0]' -r
complete -c autoipd -s w -l announce-wait -d 'Seconds to listen after the last probe, and between announcements, 1 to 60 [default: 2]' -r
complete -c autoipd -l timing -d 'Timing of claims; -a, -p and -w change single numbers of it [default: rfc3927]' -r -f -a "rfc3927\t'RFC 3927: usable after 4 to 7 s'
draft-07\t'Draft 07 of it, with four probes: 8 to 10 s'
fast\t'0.2 s, then a full round of probes in use; for known point-to-point links, not RFC 3927'"
complete -c autoipd -l range -d 'Addresses to choose from, such as 169.254.10.0-169.254.10.255 [default: all of 169.254.1.0-169.254.254.255]' -r
complete -c autoipd -l alias -d 'Number of the alias that labels the address, such as eth0:9; "none" for no label [default: 9]' -r
complete -c autoipd -l grace -d 'Seconds for which open connections may keep the address after a routable one has come, 0 to 86400 [default: 600]' -r
complete -c autoipd -l defend -d 'What to do about conflicts over an address in use; -d is short for "never" [default: once]' -r -f -a "once\t'Defend it at the first conflict, and leave at a second within ten seconds'
never\t'Leave at the first conflict'"
complete -c autoipd -l mode -d 'When to have an address; -f is short for "always" [default: fallback]' -r -f -a "fallback\t'While the interface has no routable address (the default)'
always\t'Always, beside routable addresses'
route\t'Never: routes alone, so that link-local hosts can be reached from a routable address'"
complete -c autoipd -l metric -d 'Metric of the route to 169.254.0.0/16 [default: 1000 and the number of the interface]' -r
complete -c autoipd -l default-route -d 'Have everything sought on the link that no other route leads to, while there is no routable address' -r -f -a "true\t''
false\t''"
complete -c autoipd -l guard -d 'What keeps the kernel from breaking the rules of RFC 3927 [default: auto]' -r -f -a "auto\t'The best that this kernel has'
nft\t'A packet filter (nf_tables), or no start; and the means of "sysctl"'
sysctl\t'Settings of interfaces, and routing rules; ARP replies stay unicast, not all is kept from being forwarded'
off\t'None'"
complete -c autoipd -l forward -d 'Link-local address to and from which packets may be forwarded, such as 169.254.169.254 for containers in a cloud; may be given more than once' -r
complete -c autoipd -l control -d 'Socket for autoipctl and other clients; "none" for no socket [default: /run/autoip/net.autoip.Manager]' -r
complete -c autoipd -l state-dir -d 'Directory in which addresses are remembered, a file for each MAC address [default: /var/lib/autoip]' -r -F
complete -c autoipd -l hooks -d 'Directory of programs to run when addresses come and go; "none" for none [default: /etc/autoip/hooks.d]' -r -F
complete -c autoipd -l sandbox -d 'Whether the daemon gives up files, capabilities and system calls that it does not need [default: on]' -r -f -a "on\t''
off\t''"
complete -c autoipd -s d -l no-defend -d 'Do not defend addresses: give one up at the first conflict'
complete -c autoipd -s f -l force -d 'Claim an address even where the interface has a routable one'
complete -c autoipd -s v -l verbose -d 'Log every step; twice, every frame'
complete -c autoipd -s h -l help -d 'Print help (see more with \'--help\')'
complete -c autoipd -s V -l version -d 'Print version'
