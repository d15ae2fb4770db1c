//! Checks the documentation against what it names: pages, chapters, commands, options, make's targets, variables.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use argh::{ArgsInfo, CommandInfoWithArgs};
use pulse_echo::args::Arguments;

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder with this extension, without build output.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![checkout().join(folder)];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
                left.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found
}

/// A page of the documentation.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    fn name(&self) -> String {
        self.path.strip_prefix(checkout()).unwrap_or(&self.path).display().to_string()
    }

    /// The lines outside blocks of code (with `within_code`: inside).
    fn lines(&self, within_code: bool) -> impl Iterator<Item = &str> {
        let mut is_code = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.starts_with("```");
            is_code ^= is_fence;
            !is_fence && is_code == within_code
        })
    }

    /// The targets of its links.
    fn links(&self) -> Vec<&str> {
        let targets = |line: &'_ str| line.match_indices("](").map(|(at, _)| at + 2).collect::<Vec<_>>();
        let in_line = |line| targets(line).into_iter().map(move |at| &line[at..]);
        self.lines(false).flat_map(in_line).filter_map(|rest| Some(rest.split_once(')')?.0)).collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> BTreeSet<String> {
        let anchor = |title: &str| {
            let letters = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            letters.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
        };
        self.lines(false)
            .filter(|line| line.starts_with('#'))
            .map(|line| anchor(line.trim_start_matches('#').trim()))
            .collect()
    }

    /// The texts in backticks.
    fn spans(&self) -> impl Iterator<Item = &str> {
        self.lines(false).flat_map(|line| {
            assert!(line.matches('`').count() % 2 == 0, "{}: a line breaks what is in backticks: {line}", self.name());
            line.split('`').skip(1).step_by(2)
        })
    }

    /// The texts that may be commands: the lines of blocks, with continued lines joined, and the texts in backticks.
    fn commands(&self) -> Vec<String> {
        let blocks = self.lines(true).collect::<Vec<_>>().join("\n").replace("\\\n", " ");
        let lines = blocks.lines().map(str::to_owned);
        lines.chain(self.spans().map(str::to_owned)).collect()
    }
}

/// The pages that people read: those in the root and in `docs/`, and the packaging's.
fn pages() -> Vec<Page> {
    let root = fs::read_dir(checkout()).unwrap().map(|entry| entry.unwrap().path());
    let root = root.filter(|path| path.extension().is_some_and(|found| found == "md"));
    root.chain(files("docs", "md")).chain(files("packaging", "md")).map(Page::read).collect()
}

#[test]
fn each_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut seen = 0;
    for page in pages() {
        for link in page.links().into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let path = if file.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(file) };
            assert!(path.exists(), "{} links to {link}, which is not there", page.name());
            if let Some(anchor) = anchor {
                let anchors = Page::read(path).anchors();
                assert!(anchors.contains(anchor), "{} links to {link}; the headings are {anchors:?}", page.name());
            }
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} links were found");
}

#[test]
fn readme_is_a_front_page_that_leads_to_each_page_of_docs() {
    let readme = Page::read(checkout().join("README.md"));
    let lines = readme.text.lines().count();
    assert!(lines <= 150, "README has {lines} lines: a front page has at most 150");
    for page in files("docs", "md") {
        let name = format!("docs/{}", page.file_name().unwrap().to_str().unwrap());
        assert!(readme.links().contains(&name.as_str()), "README does not link to {name}");
    }
}

/// The words up to where the shell starts something else.
fn words(command: &str) -> Vec<&str> {
    let is_end = |word: &&str| matches!(*word, "|" | "||" | "&&" | ">" | ">>" | "&" | "#") || word.ends_with(';');
    command.split_whitespace().take_while(|word| !is_end(word)).collect()
}

/// The words after the agent's name, if the line calls the agent. `send --quiet` alone is such a line, too.
fn asked_of_the_agent(program: &CommandInfoWithArgs, line: &str) -> Option<Vec<String>> {
    let words = words(line);
    // Variables or cron's fields may stand in front of it.
    let is_in_front = |word: &&&str| word.contains('=') || word.starts_with('*');
    let at = words.iter().take_while(is_in_front).count();
    let is_agent = words.get(at).is_some_and(|word| word.rsplit('/').next() == Some("pulse-echo"));
    let of_program = is_agent.then(|| &words[at + 1..]);
    let is_known = |word: &&str| program.commands.iter().any(|command| command.name == *word);
    let alone = || words.first().filter(|word| is_known(word) && words.len() > 1).map(|_| &words[..]);
    of_program.or_else(alone).map(|words| words.iter().map(ToString::to_string).collect())
}

#[test]
fn each_command_and_option_is_known_to_the_agent() {
    let program = Arguments::get_args_info();
    let mut seen = 0;
    for page in pages() {
        for line in page.commands() {
            let Some(asked) = asked_of_the_agent(&program, &line) else { continue };
            let mut known = vec!["-h", "--help", "-V", "--version"];
            let mut command = &program;
            for word in &asked {
                known.extend(command.flags.iter().map(|flag| flag.long));
                if let Some(inner) = command.commands.iter().find(|inner| inner.name == word) {
                    command = &inner.command;
                } else if command.name == program.name && word.chars().all(|c| c.is_ascii_lowercase()) {
                    panic!("{}: {line:?}: the agent has no command {word:?}", page.name());
                }
            }
            known.extend(command.flags.iter().map(|flag| flag.long));
            for option in asked.iter().filter(|word| word.starts_with("--") && word.len() > 2) {
                let option = option.split('=').next().unwrap();
                assert!(known.contains(&option), "{}: {line:?}: the agent does not know {option}", page.name());
            }
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} commands were found");
}

#[test]
fn the_jobs_in_the_help_of_exec_are_those_of_the_page_and_the_man_page() {
    let program = Arguments::get_args_info();
    let exec = program.commands.iter().find(|command| command.name == "exec").unwrap();
    let texts = ["docs/agent.md", "packaging/man/pulse-echo.1"].map(|name| {
        let text = fs::read_to_string(checkout().join(name)).unwrap();
        (name, text.replace("\\e\n", " ").split_whitespace().collect::<Vec<_>>().join(" "))
    });
    assert_eq!(exec.command.examples.len(), 3);
    for line in exec.command.examples {
        let (_, job) = line.split_once(" -- ").unwrap();
        for (name, text) in &texts {
            assert!(text.contains(&format!(" -- {job}")), "{name} has another job than {job}");
        }
    }
}

#[test]
fn each_target_of_make_exists() {
    let makefile = fs::read_to_string(checkout().join("Makefile")).unwrap();
    let mut seen = 0;
    for page in pages() {
        for line in page.commands() {
            let mut words = words(&line).into_iter();
            if words.next() != Some("make") {
                continue;
            }
            let target = words.find(|word| !word.contains('=')).unwrap_or_else(|| panic!("{line:?} has no target"));
            let is_there = makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
            assert!(is_there, "{}: the Makefile has no target {target:?}", page.name());
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} were found");
}

/// The environment variables that a text names in backticks, or sets.
fn variables(page: &Page) -> BTreeSet<String> {
    let is_name = |word: &&str| {
        let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        word.contains('_') && word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(is_upper)
    };
    let set = page.commands();
    let set = set.iter().flat_map(|line| line.split_whitespace()).filter_map(|word| Some(word.split_once('=')?.0));
    page.spans().chain(set).filter(|word| is_name(word)).map(str::to_owned).collect()
}

#[test]
fn each_variable_of_the_environment_is_read_somewhere() {
    let sources: String = ["", "packaging"]
        .into_iter()
        .flat_map(|folder| files(folder, "rs").into_iter().chain(files(folder, "sh")))
        // Files such as this one name what documents say.
        .filter(|path| path.file_name().is_none_or(|name| name != "docs.rs"))
        .chain([checkout().join("Makefile"), checkout().join("packaging/nfpm.yaml")])
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut seen = BTreeSet::new();
    for page in pages() {
        for name in variables(&page) {
            assert!(sources.contains(&name), "{} names {name}, which nothing reads", page.name());
            seen.insert(name);
        }
    }
    assert!(seen.len() > 30, "only these were found: {seen:?}");
}

#[test]
fn each_path_in_contributing_exists_and_the_walk_of_a_pulse_has_its_steps() {
    let page = Page::read(checkout().join("CONTRIBUTING.md"));
    let walk = page.text.split("\n## ").find(|chapter| chapter.starts_with("The walk of a pulse"));
    let walk = Page { path: page.path.clone(), text: walk.expect("CONTRIBUTING.md has the walk").into() };
    // A path has a slash; items of Rust, sentences and placeholders such as `NAME.rs` are left out.
    let is_path = |span: &&str| span.contains('/') && !span.contains([':', ' ', '<']) && !span.contains("NAME");
    let steps: Vec<_> = walk.spans().filter(is_path).collect();
    assert!(steps.len() >= 10, "the walk names {steps:?} only");
    let is_made = |path: &str| path.starts_with("target/") || path.starts_with("fuzz/artifacts");
    for path in page.spans().filter(is_path).filter(|path| !is_made(path)) {
        // `lambda/probe` is short for `lambda/src/probe`, and `channel/words` for `lambda/src/channel/words`.
        let short = path.split_once('/').map(|(folder, rest)| format!("{folder}/src/{rest}"));
        let roots = ["", "src/", "core/src/", "lambda/src/", "lambda/src/channel/", "lambda/", "local/src/"];
        let mut places = roots.into_iter().map(|root| format!("{root}{path}")).chain(short);
        let is_there = places.any(|it| ["", ".rs"].iter().any(|end| checkout().join(format!("{it}{end}")).exists()));
        assert!(is_there, "CONTRIBUTING.md names {path}, which is not there");
    }
}
