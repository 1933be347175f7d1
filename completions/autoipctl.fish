# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_autoipctl_global_optspecs
    string join \n socket= timeout= h/help V/version
end

function __fish_autoipctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_autoipctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_autoipctl_using_subcommand
    set -l cmd (__fish_autoipctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c autoipctl -n "__fish_autoipctl_needs_command" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_needs_command" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_needs_command" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -s V -l version -d 'Print version'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "status" -d 'Show where the interfaces stand: all in a table, or one in full'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "monitor" -d 'Print what happens as it happens'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "add" -d 'Have an interface managed'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "remove" -d 'Give the address of an interface up and have it managed no more'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "claim" -d 'Claim an address on a managed interface'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "release" -d 'Give the address of an interface up until the next claim'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "reannounce" -d 'Announce addresses in use once more'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "probe" -d 'Find out whether an IPv4 address is free on a link (RFC 5227), with or without the daemon'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "watch" -d 'Have an IPv4 address that is on an interface watched and defended until interrupted'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "predict" -d 'Print the addresses that a device with this MAC address tries, in order, each once'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "doctor" -d 'Find what breaks link-local networking on this host, and how to mend it'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "validate" -d 'Check a configuration file of autoipd'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "metrics" -d 'Print the counters in Prometheus\'s text format'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "reload" -d 'Have the daemon read its configuration again'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "completions" -d 'Print completions for a shell'
complete -c autoipctl -n "__fish_autoipctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand status" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand status" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand status" -l json -d 'As JSON'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand status" -l watch -d 'Keep it up to date until interrupted'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand status" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand monitor" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand monitor" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand monitor" -l json -d 'As JSON, an object in each line'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand monitor" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand add" -l mode -d 'When it is to have an address [default: as configured]' -r -f -a "fallback\t'While it has no routable one'
always\t'Always, beside routable ones'
route\t'Never: routes alone'"
complete -c autoipctl -n "__fish_autoipctl_using_subcommand add" -l start -d 'The address to try first' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand add" -l range -d 'The addresses to choose from, such as 169.254.1.0-169.254.1.255 [default: as configured]' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand add" -l timing -d 'How long a claim takes: 4 to 7 s, 8 to 10 s, 0.2 s [default: as configured]' -r -f -a "rfc3927\t'RFC 3927 and RFC 5227'
draft-07\t'Draft 07 of RFC 3927'
fast\t'For known point-to-point links'"
complete -c autoipctl -n "__fish_autoipctl_using_subcommand add" -l defend -d 'What to do about another host that claims the address [default: as configured]' -r -f -a "once\t'Give it up at the second conflict within ten seconds'
never\t'Give it up at the first'"
complete -c autoipctl -n "__fish_autoipctl_using_subcommand add" -l wait -d 'Wait up to so many seconds (0.001 to 86400) for the address and print it; exit with 1 where there is none, or not the one asked for' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand add" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand add" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand remove" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand remove" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand remove" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand claim" -l wait -d 'Wait up to so many seconds (0.001 to 86400) for the address and print it; exit with 1 where there is none, or not the one asked for' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand claim" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand claim" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand claim" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand release" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand release" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand release" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand reannounce" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand reannounce" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand reannounce" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand probe" -s i -l interface -d 'The interface on the link' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand probe" -l timing -d 'How long to take over it: 4 to 7 s, 8 to 10 s, 0.2 s' -r -f -a "rfc3927\t'RFC 3927 and RFC 5227'
draft-07\t'Draft 07 of RFC 3927'
fast\t'For known point-to-point links'"
complete -c autoipctl -n "__fish_autoipctl_using_subcommand probe" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand probe" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand probe" -l direct -d 'Without asking the daemon'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand probe" -l json -d 'As JSON'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand watch" -s i -l interface -d 'The interface that has it' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand watch" -l defend -d 'What to do about another host that claims it' -r -f -a "never\t'Report it, and watch no longer'
once\t'Defend it once in ten seconds; watch no longer after a second conflict within that time'
always\t'Defend it for good, at most once in ten seconds'"
complete -c autoipctl -n "__fish_autoipctl_using_subcommand watch" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand watch" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand watch" -l json -d 'As JSON, an object in each line'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand predict" -s n -l count -d 'How many addresses' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand predict" -l key -d 'The key of the sequence, 32 hexadecimal digits [default: the one everybody uses]' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand predict" -l range -d 'The addresses to choose from, such as 169.254.1.0-169.254.1.255 [default: all]' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand predict" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand predict" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand predict" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand doctor" -s i -l interface -d 'Interface to look at, also where it is down; may be given more than once [default: all that are up]' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand doctor" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand doctor" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand doctor" -l probe -d 'Send ARP probes as well, for three random addresses and the interface\'s own'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand doctor" -l ask-resolver -d 'Ask the name servers as well, whether they pass on questions about link-local addresses'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand doctor" -l json -d 'As JSON'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand validate" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand validate" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand validate" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand metrics" -l textfile -d 'Write them to this file in one step, for node_exporter' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand metrics" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand metrics" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand metrics" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand reload" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand reload" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand reload" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand completions" -l socket -d 'The daemon\'s control socket' -r -F
complete -c autoipctl -n "__fish_autoipctl_using_subcommand completions" -l timeout -d 'Seconds that the daemon has for an answer; a probe has 30 at least' -r
complete -c autoipctl -n "__fish_autoipctl_using_subcommand completions" -s h -l help -d 'Print help'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "status" -d 'Show where the interfaces stand: all in a table, or one in full'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "monitor" -d 'Print what happens as it happens'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "add" -d 'Have an interface managed'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "remove" -d 'Give the address of an interface up and have it managed no more'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "claim" -d 'Claim an address on a managed interface'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "release" -d 'Give the address of an interface up until the next claim'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "reannounce" -d 'Announce addresses in use once more'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "probe" -d 'Find out whether an IPv4 address is free on a link (RFC 5227), with or without the daemon'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "watch" -d 'Have an IPv4 address that is on an interface watched and defended until interrupted'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "predict" -d 'Print the addresses that a device with this MAC address tries, in order, each once'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "doctor" -d 'Find what breaks link-local networking on this host, and how to mend it'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "validate" -d 'Check a configuration file of autoipd'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "metrics" -d 'Print the counters in Prometheus\'s text format'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "reload" -d 'Have the daemon read its configuration again'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "completions" -d 'Print completions for a shell'
complete -c autoipctl -n "__fish_autoipctl_using_subcommand help; and not __fish_seen_subcommand_from status monitor add remove claim release reannounce probe watch predict doctor validate metrics reload completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
