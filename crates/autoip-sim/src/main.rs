//! temporary
#![forbid(unsafe_code)]
fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    for seed in args[0]..args[1] {
        let run = autoip_sim::Run { seed, options: autoip_sim::swarm(seed), bug: None };
        let o = run.outcome(args.len() > 2);
        for l in &o.lines { println!("{l}"); }
        if !o.violations.is_empty() { println!("{run}"); }
        for v in o.violations.iter().take(3) { println!("   {v}"); }
    }
}
