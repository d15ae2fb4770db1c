//! The guided demo with the real agent.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use pulse_echo_core::environment::Environment;
use pulse_echo_local::demo::{Options, demo};
use pulse_echo_testkit::agent;
use pulse_echo_testkit::server::{self, Server};

/// The demo's output so far.
#[derive(Clone, Default)]
struct Page(Rc<RefCell<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }

    /// Asserts that the output has these texts in this order, wherever its lines break.
    #[track_caller]
    fn shows(&self, parts: &[&str]) {
        let plain = self.text().replace("  | ", " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let mut rest = plain.as_str();
        for part in parts {
            rest = rest.split_once(part).unwrap_or_else(|| panic!("there is no {part:?} in {rest}")).1;
        }
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn walk(url: Option<&str>, body: Option<&str>) -> (Result<(), String>, Page) {
    let agent = agent::program().into();
    let options = Options { url: url.map(Into::into), body: body.map(Into::into), agent: Some(agent) };
    let page = Page::default();
    let nobody_elses = |name: &str| {
        assert!(name.starts_with("PROBE_"), "{name}: the demo must not tell people who did not ask for it");
        None
    };
    (demo(&options, Environment::new(&nobody_elses), &|| false, &mut page.clone()), page)
}

#[test]
fn it_walks_from_the_first_pulse_to_the_message_that_its_host_is_silent_in_80_columns() {
    let (walked, page) = walk(None, None);
    assert_eq!(walked, Ok(()), "{}", page.text());
    page.shows(&[
        "the agent sends the pulse",
        "ECHO OK - web-1 answered",
        "the service breaks",
        "ECHO CRITICAL - web-1: status 500, and the body differs",
        "look at fault/web-1.json",
        "the alert has come",
        "DOWN: web-1 has been failing since",
        "body differs at byte 0: expected \"ok\", got \"the database is away\"",
        "Last good echo: ",
        "More: `pulse-echo status web-1`",
        "the service is mended",
        "ECHO OK",
        "UP: web-1 is up again after",
        "$ pulse-echo --config config.json status 1 check: 1 up",
        "the host stops sending",
        "DOWN: web-1 has been silent since",
        "(expected: within 18 s). Last words: up ",
        "$ pulse-echo --config config.json status 1 check: 1 down (1 silent)",
        "$ pulse-echo --config config.json status web-1 ",
        "web-1 has been silent for",
        "] done: ",
    ]);
    let text = page.text();
    let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(widest.chars().count() <= 80, "{widest}");
    // Thirteen steps and the end, each with its time.
    let steps = text.lines().filter(|line| line.starts_with('[') && line.contains(" s] "));
    assert_eq!(steps.count(), 14);
}

#[test]
fn an_address_of_the_users_own_is_held_against_the_body_that_they_give() {
    let answer = "it's \"ok\": $HOME `id`";
    let service = Server::answering(&[&server::answer(200, answer)]);
    let url = format!("{}?a=b&c='d'", service.url());
    for body in [None, Some(answer)] {
        let (walked, page) = walk(Some(&url), body);
        assert_eq!(walked, Ok(()), "{}", page.text());
        page.shows(&["ECHO OK", "look at echo/web-1.json", "1 check: 1 up"]);
        assert!(!page.text().contains("DOWN"), "{}", page.text());
    }
    let (walked, page) = walk(Some(&url), Some("it's ok"));
    assert_eq!(walked, Err(format!("{url} did not answer as expected; the chain itself works")));
    page.shows(&["ECHO CRITICAL", "DOWN: web-1 has been failing", "There never was a good echo", "1 check: 1 down"]);
}

#[test]
fn it_can_be_interrupted_while_it_waits_for_a_message() {
    let page = Page::default();
    let interrupted = || page.text().contains("the host stops sending");
    let options = Options { agent: Some(agent::program().into()), ..Options::default() };
    let ended = demo(&options, Environment::new(&|_| None), &interrupted, &mut page.clone());
    assert_eq!(ended, Err("interrupted".into()));
    assert!(!page.text().contains("has been silent"), "{}", page.text());
}
