//! `credential_process`: a program that issues credentials, used on hosts outside AWS (IAM Roles Anywhere).

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::issued::{self, SIZE_LIMIT};
use pulse_echo_core::store::Credentials;
use pulse_echo_core::text::printable;

/// How long the program may take, if the deadline allows: half of the default deadline.
const TIME: Duration = Duration::from_secs(30);

/// How much of the program's stderr is shown, in characters.
const COMPLAINT_LIMIT: usize = 300;

/// Runs the program. The error is the end of a sentence about it.
pub fn credentials(command_line: &str, deadline: Instant) -> Result<Credentials, String> {
    let words = split(command_line)?;
    let (program, arguments) = words.split_first().ok_or("is empty")?;
    let time = deadline.saturating_duration_since(Instant::now()).min(TIME);
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // With its children, it can then be ended at once. At a terminal it must stay in our group: it may ask a person
    // there, and Ctrl-C ends both.
    let has_group = !io::stdin().is_terminal();
    if has_group {
        command.process_group(0);
    }
    let mut child = command.spawn().map_err(|error| format!("cannot be run: {program}: {error}"))?;
    let output = drain(child.stdout.take().expect("it is piped").into());
    let complaint = drain(child.stderr.take().expect("it is piped").into());

    let until = Instant::now() + time;
    let status = wait(&mut child, until).map_err(|error| format!("cannot be waited for: {error}"))?;
    // A child of the program may hold its output open after the program has ended.
    let left = until.saturating_duration_since(Instant::now());
    let (Some(status), Ok(output)) = (status, output.recv_timeout(left)) else {
        if let Some(group) = Pid::from_raw(child.id().cast_signed()).filter(|_| has_group) {
            // All of them may have ended meanwhile.
            let _ = kill_process_group(group, Signal::KILL);
        }
        return Err(format!("did not end within {:.0} s: {program}", time.as_secs_f64()));
    };
    if !status.success() {
        let said = complaint.recv_timeout(left).unwrap_or_default();
        return Err(format!("failed: {program}: {status}{}", first_of(&said)));
    }
    issued::read("credential_process", &String::from_utf8_lossy(&output), Some(1))
}

/// Reads a stream to its end on a thread of its own, so that no pipe is ever full. Output beyond the limit breaks the
/// pipe.
fn drain(stream: OwnedFd) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error still counts. Nobody may be listening any more.
        let _ = File::from(stream).take(SIZE_LIMIT).read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits until the program ends. When its time is over it is killed, and there is no status.
fn wait(child: &mut Child, until: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The beginning of the program's stderr, on one line.
fn first_of(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = printable(&line).chars().take(COMPLAINT_LIMIT).collect();
    if shown.is_empty() { shown } else { format!(": {shown}") }
}

/// Splits a command line into words as the SDKs do. Blanks separate words, quotes of either kind hold them together,
/// and a backslash takes the next character literally (within double quotes only `"` and `\`). There is no shell: `$`
/// and `*` are plain characters.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut left = line.chars().peekable();
    while let Some(c) = left.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            (None, '\\') => word.get_or_insert_default().push(left.next().ok_or("ends with a backslash")?),
            (Some('"'), '\\') => {
                let escaped = left.next_if(|next| matches!(next, '"' | '\\'));
                word.get_or_insert_default().push(escaped.unwrap_or('\\'));
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(quote) = quote {
        return Err(format!("has a {quote} that is not closed"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_the_sdks_split_it() {
        for (line, words) in [
            ("/opt/bin/helper  --profile a", vec!["/opt/bin/helper", "--profile", "a"]),
            ("\"/opt/my tools/helper\" 'a \"b\" \\' \"\"", vec!["/opt/my tools/helper", "a \"b\" \\", ""]),
            ("a\\ b \"c\\\"d\\\\e\\f\" g'h i'j", vec!["a b", "c\"d\\e\\f", "gh ij"]),
            ("echo $HOME # * ;", vec!["echo", "$HOME", "#", "*", ";"]),
            ("  ", vec![]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        assert_eq!(split("a 'b").unwrap_err(), "has a ' that is not closed");
        assert_eq!(split("a \\").unwrap_err(), "ends with a backslash");
    }

    #[test]
    fn a_program_has_its_time_and_no_more_even_if_its_child_keeps_the_output() {
        for line in ["sleep 30", "sh -c 'sleep 30 & echo {}'"] {
            let started = Instant::now();
            let error = credentials(line, started + Duration::from_millis(300)).unwrap_err();
            assert!(error.contains("did not end within 0 s"), "{error}");
            assert!(started.elapsed() < Duration::from_secs(20), "{line}");
        }
    }

    #[test]
    fn what_a_program_complains_about_is_shown_on_one_line_and_what_it_prints_is_not() {
        let deadline = Instant::now() + Duration::from_secs(20);
        let line = "sh -c 'echo hidden; echo no such >&2; printf \"certificate\\033[2J\" >&2; exit 3'";
        let error = credentials(line, deadline).unwrap_err();
        assert_eq!(error, "failed: sh: exit status: 3: no such certificate[2J");
        let error = credentials("echo hidden", deadline).unwrap_err();
        assert!(error.starts_with("answered no JSON") && !error.contains("hidden"), "{error}");
        assert!(
            credentials("/no/such/program x", deadline).unwrap_err().starts_with("cannot be run: /no/such/program:")
        );
    }

    #[test]
    fn a_program_that_talks_much_does_not_stop_us() {
        let line = "sh -c 'head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero'";
        let error = credentials(line, Instant::now() + Duration::from_secs(20)).unwrap_err();
        assert!(!error.contains("did not end"), "{error}");
    }
}
