use super::*;

fn read(only: &str, states: &str) -> Result<Audience, String> {
    let lookup = |name: &str| match name {
        "SLACK_ONLY" => Some(only.to_string()),
        "SLACK_STATES" => Some(states.to_string()),
        _ => None,
    };
    Audience::read(Environment::new(&lookup), "SLACK", false)
}

fn id(text: &str) -> CheckId {
    format!("{text}.json").try_into().unwrap()
}

fn two(slack: Audience, sns: Audience) -> Audiences {
    [("slack".to_string(), slack), ("sns".to_string(), sns)].into_iter().collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn without_a_setting_everything_is_taken() {
    assert_eq!(read("", ""), Ok(Audience::default()));
    for (kind, _) in KINDS {
        assert!(read(" , ", "").unwrap().takes(kind, &id("web-1/db")));
    }
}

#[test]
fn patterns_take_checks_and_an_exclamation_mark_leaves_them_out_wherever_it_stands() {
    for (only, check, takes) in [
        ("web-*", "web-1/db", true),
        ("web-*", "db-1", false),
        ("web-*, */db", "mail/db", true),
        ("web-1", "web-1/db", true),
        ("web-1", "web-10", false),
        ("web-* !web-test-*", "web-test-1", false),
        ("!web-test-*,web-*", "web-test-1", false),
        ("!web-test-*,web-*", "web-1", true),
        ("!*/cert", "web-1/cert", false),
        ("!*/cert", "web-1", true),
    ] {
        assert_eq!(read(only, "").unwrap().takes(Kind::Down, &id(check)), takes, "{only}: {check}");
    }
}

#[test]
fn states_choose_what_is_told_of_these_checks() {
    let audience = read("", "down,up").unwrap();
    let taken: Vec<_> =
        KINDS.iter().filter(|(kind, _)| audience.takes(*kind, &id("web-1"))).map(|(_, word)| *word).collect();
    assert_eq!(taken, ["down", "up"]);
}

#[test]
fn a_receiver_that_forgets_is_reminded_of_what_it_was_told_down() {
    let lookup = |states: &'static str| move |name: &str| (name == "X_STATES").then(|| states.to_string());
    let takes = |states| {
        let audience = Audience::read(Environment::new(&lookup(states)), "X", true).unwrap();
        audience.takes(Kind::Reminder, &id("web-1"))
    };
    assert!(takes("down,up") && takes("") && !takes("up,gone"));
}

#[test]
fn a_receiver_that_forgets_is_told_the_end_of_what_it_was_told_whatever_it_takes() {
    let ends = |states: &'static str, forgets| {
        let lookup = move |name: &str| (name == "X_STATES").then(|| states.to_string());
        let audience = Audience::read(Environment::new(&lookup), "X", forgets).unwrap();
        let all: Audiences = [("x".to_string(), audience)].into_iter().collect();
        let told = ["x".to_string()].into();
        [None, Some(&told), Some(&BTreeSet::new())].map(|told| all.of_end(&[Kind::Up], &id("web-1"), told).len())
    };
    assert_eq!(ends("down", true), [1, 1, 0]);
    assert_eq!(ends("down", false), [0, 0, 0]);
    assert_eq!(ends("gone", true), [0, 0, 0]);
}

#[test]
fn of_what_is_acknowledged_only_receivers_that_forget_are_reminded() {
    let lookup = |name: &str| (name == "X_ONLY").then(|| "web-*".to_string());
    let forgetful = Audience::read(Environment::new(&lookup), "X", true).unwrap();
    let audiences: Audiences =
        [("x".to_string(), forgetful), ("slack".to_string(), Audience::default())].into_iter().collect();
    assert_eq!(audiences.of_memory(&id("web-1")), ["x".to_string()].into());
    assert_eq!(audiences.of_memory(&id("db-1")), BTreeSet::new());
}

#[test]
fn a_wrong_pattern_or_state_is_one_sentence_with_the_variable_and_the_part_that_is_wrong() {
    let error = read("web-*,*//x", "").unwrap_err();
    assert!(error.starts_with("SLACK_ONLY has \"*//x\", which is no pattern of checks such as web-*"), "{error}");
    let error = read("web-*,!", "").unwrap_err();
    assert!(error.starts_with("SLACK_ONLY has \"!\", which is no pattern"), "{error}");
    let error = read("", "down,dwon").unwrap_err();
    assert_eq!(error, "SLACK_STATES has \"dwon\": it must be some of down, reminder, up, gone");
}

#[test]
fn who_was_told_the_beginning_is_told_the_end_whatever_the_patterns_say_by_then() {
    let audiences = two(read("db-*", "").unwrap(), Audience::default());
    let end = |told: Option<&BTreeSet<String>>| audiences.of_end(&[Kind::Up], &id("web-1"), told);
    assert_eq!(audiences.of(Kind::Down, &id("web-1")), names(&["sns"]));
    assert_eq!(end(Some(&names(&["sns"]))), names(&["sns"]));
    assert_eq!(end(None), names(&["slack", "sns"]), "all that there were");
    assert_eq!(end(Some(&names(&[]))), names(&[]));
}

#[test]
fn a_channel_of_ends_alone_gets_those_of_its_checks_and_one_without_ends_gets_none() {
    let audiences = two(read("web-*", "up").unwrap(), read("", "down").unwrap());
    let end = |check| audiences.of_end(&[Kind::Up], &id(check), Some(&names(&["sns"])));
    assert_eq!((end("web-1"), end("db")), (names(&["slack"]), names(&[])));
}

#[test]
fn who_was_told_is_noted_unless_it_is_everybody() {
    let audiences = two(Audience::default(), Audience::default());
    assert_eq!(audiences.noted(names(&["slack", "sns"])), None);
    assert_eq!(audiences.noted(names(&["sns"])), Some(names(&["sns"])));
}

#[test]
fn what_nobody_takes_is_said_in_one_sentence() {
    let warning = |slack: (&str, &str), sns: (&str, &str)| {
        two(read(slack.0, slack.1).unwrap(), read(sns.0, sns.1).unwrap()).warning()
    };
    assert_eq!(warning(("web-*", ""), ("", "")), None);
    assert_eq!(Audiences::default().warning(), None, "without a channel that is said elsewhere");
    assert_eq!(
        warning(("", "down,up"), ("", "down")).unwrap(),
        "no channel takes reminder, gone of any check; pulse-echo loop test counts the checks"
    );
    assert_eq!(
        warning(("web-*", ""), ("!db-*", "down,reminder,up")).unwrap(),
        "no channel takes down, reminder, up, gone of a check that does not fit SLACK_ONLY or SNS_ONLY; pulse-echo \
         loop test counts the checks"
    );
    let audiences = two(read("web-*", "").unwrap(), read("db-*", "down").unwrap());
    assert!(audiences.lacks(&id("mail")) && audiences.lacks(&id("db-1")) && !audiences.lacks(&id("web-1")));
}
