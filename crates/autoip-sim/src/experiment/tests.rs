//! What the experiments say, with few trials, and what becomes of their files.

use super::*;

fn report(name: &str) -> Report {
    let experiment = EXPERIMENTS.iter().find(|experiment| experiment.name == name).unwrap();
    (experiment.run)(&Setup { seed: 7, quick: true })
}

impl Report {
    /// The numbers in `column` of the rows whose first cells are `cells`.
    fn numbers(&self, cells: &[&str], column: &str) -> Vec<f64> {
        let at = self.columns.iter().position(|name| *name == column).unwrap();
        let rows = self.rows.iter().filter(|row| row.iter().zip(cells).all(|(a, b)| a == b));
        rows.map(|row| row[at].parse().unwrap()).collect()
    }
}

#[test]
fn the_figures_of_the_rfc_come_out() {
    let report = report("crowding");
    let [first] = report.numbers(&["1300", "1"], "success %")[..] else { panic!("{report:?}") };
    let [both] = report.numbers(&["1300", "2"], "success %")[..] else { panic!("{report:?}") };
    assert!((97.3..98.7).contains(&first), "{first}");
    assert!((99.8..=100.0).contains(&both), "{both}");
}

#[test]
fn a_crowded_link_takes_longer_and_avoiding_what_is_seen_helps() {
    let report = report("occupancy");
    let none = report.numbers(&["0"], "mean s");
    let all = report.numbers(&["100"], "mean s");
    assert!((5.0..6.0).contains(&none[0]), "{none:?}");
    let last = none.len() - 1;
    assert!(none[last] > 600.0 && all[last] < none[last] / 10.0, "{none:?} {all:?}");
    assert_eq!(report.numbers(&["100"], "probed for"), vec![1.0; 12]);
}

#[test]
fn a_poor_first_choice_clashes_more() {
    let report = report("power-on");
    let clashes = |choice| report.numbers(&[choice], "hosts that clash %");
    let (uniform, summed) = (clashes("uniform"), clashes("avahi-autoipd's sum"));
    let last = uniform.len() - 1;
    assert!((6.0..10.0).contains(&uniform[last]), "{uniform:?}");
    assert!(summed[last] > 60.0, "{summed:?}");
}

#[test]
fn joined_links_heal() {
    let report = report("joined");
    assert!(report.numbers(&[], "never found").iter().all(|&left| left == 0.0), "{report:?}");
    assert!(report.numbers(&[], "shared addresses").iter().any(|&shared| shared > 0.5));
}

#[test]
fn the_wait_before_a_defence_keeps_one_holder() {
    let report = report("both-leave");
    let with = report.numbers(&["0 to 100 ms, random"], "%");
    let without = report.numbers(&["none"], "%");
    assert!(with[0] < 10.0 && without[0] > 25.0, "{with:?} {without:?}");
}

#[test]
fn errors_on_a_lossy_link_follow_the_closed_form() {
    let report = report("lossy");
    let measured = report.numbers(&[], "P(error)");
    let expected = report.numbers(&[], "closed form");
    let trials = report.numbers(&[], "trials");
    for ((measured, expected), trials) in measured.iter().zip(&expected).zip(trials) {
        // Five standard deviations, and a little for the rare ones.
        let reach = 5.0 * (expected * (1.0 - expected) / trials).sqrt() + 3.0 / trials;
        assert!((measured - expected).abs() < reach, "{measured} {expected}");
    }
}

#[test]
fn the_second_round_mends_what_the_fast_profile_misses() {
    let report = report("fast");
    let missed = report.numbers(&["fast", "0"], "missed %");
    assert!(missed[0] == 0.0 && missed[missed.len() - 1] == 100.0, "{missed:?}");
    assert!(report.numbers(&["fast", "0"], "kept %").iter().all(|&kept| kept == 0.0));
    assert!(report.numbers(&["RFC 3927", "0"], "missed %").iter().all(|&missed| missed == 0.0));
}

#[test]
fn an_address_kept_for_good_does_not_look_like_one_in_use_for_no_time() {
    let report = report("fast");
    let column = |name| report.columns.iter().position(|column| *column == name).unwrap();
    let (missed, kept, in_use) = (column("missed %"), column("kept %"), column("in use s"));
    let mut seen = [0; 3];
    for row in &report.rows {
        match (&*row[missed], &*row[kept], &*row[in_use]) {
            ("0.00", _, time) => {
                assert_eq!(time, "—", "{row:?}");
                seen[0] += 1;
            }
            (missed, kept, time) if missed == kept => {
                assert_eq!(time, "for good", "{row:?}");
                seen[1] += 1;
            }
            (_, _, time) => {
                assert!(time.parse::<f64>().is_ok_and(|seconds| seconds >= 0.0), "{row:?}");
                seen[2] += 1;
            }
        }
    }
    assert!(seen.iter().all(|&rows| rows > 3), "{seen:?}");
}

#[test]
fn the_page_counts_the_settings_in_which_the_closed_form_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/experiments");
    let csv = fs::read_to_string(folder.join("lossy.csv")).unwrap();
    let settings = csv.lines().count() - 1;
    let within = csv.lines().filter(|line| line.ends_with(",yes")).count();
    let page = fs::read_to_string(folder.join(PAGE)).unwrap();
    assert!(page.contains(&format!("in {within} of {settings} settings")), "{within}");
}

#[test]
fn the_same_seed_gives_the_same_files() {
    let (one, two) = (report("crowding"), report("crowding"));
    assert_eq!(csv(&one), csv(&two));
    assert_eq!(one.charts[0].1.to_svg(), two.charts[0].1.to_svg());
}

/// The fields of one line of a CSV file, read as RFC 4180 says.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut is_quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.next_if_eq(&'"').is_some() => {
                fields.last_mut().unwrap().push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            _ => fields.last_mut().unwrap().push(letter),
        }
    }
    fields
}

#[test]
fn fields_with_commas_and_quotes_are_read_as_they_were() {
    let cells = ["0 to 100 ms, random", "", "a \"b\", c", "plain"];
    let line = csv_line(&cells);
    assert_eq!(line, "\"0 to 100 ms, random\",,\"a \"\"b\"\", c\",plain\n");
    assert_eq!(fields(line.trim_end()), cells);
}

#[test]
fn every_row_of_a_file_has_as_many_fields_as_its_heading() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/experiments");
    for Experiment { name, .. } in EXPERIMENTS {
        let csv = fs::read_to_string(folder.join(format!("{name}.csv"))).unwrap();
        let counts: Vec<usize> = csv.lines().map(|line| fields(line).len()).collect();
        assert!(counts.len() > 4, "{name}");
        assert!(counts.iter().all(|&count| count == counts[0]), "{name}: {counts:?}");
    }
    for name in ["crowding", "lossy", "both-leave"] {
        let report = report(name);
        assert!(report.rows.iter().all(|row| row.len() == report.columns.len()), "{name}");
        let lines = csv(&report);
        assert!(lines.lines().all(|line| fields(line).len() == report.columns.len()), "{lines}");
    }
}

#[test]
fn a_table_takes_the_place_of_the_one_before() {
    let page = "# A\n<!-- table: a -->\n| old |\n| old |\n\nrest\n<!-- table: b -->\n| b |\n";
    let fresh = with_table(page, "a", "| new |\n");
    assert_eq!(fresh, "# A\n<!-- table: a -->\n| new |\n\nrest\n<!-- table: b -->\n| b |\n");
    assert_eq!(with_table(&fresh, "a", "| new |\n"), fresh);
}

/// The page in docs/experiments shows what the files beside it say, for every experiment.
#[test]
fn the_page_agrees_with_the_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/experiments");
    let page = fs::read_to_string(folder.join(PAGE)).unwrap();
    for Experiment { name, .. } in EXPERIMENTS {
        let csv = fs::read_to_string(folder.join(format!("{name}.csv"))).unwrap();
        let mark = format!("<!-- table: {name} -->\n");
        let (_, after) = page.split_once(&mark).unwrap_or_else(|| panic!("no {mark}"));
        let shown: Vec<Vec<&str>> = after
            .lines()
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.trim_matches(['|', ' ']).split(" | ").collect())
            .collect();
        assert!(shown.len() > 4, "{name}");
        for row in shown.iter().filter(|row| row[0] != "---") {
            assert!(csv.lines().any(|line| fields(line) == *row), "{name}: {row:?}");
        }
        assert!(page.contains(&format!("experiment {name}`")), "{name} has no command");
    }
}
