//! A small mail server, which takes mails as a test tells it to: with STARTTLS, with logins, and with faults.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::server::{Server, until_closed};

/// The only user, and its password.
pub const LOGIN: (&str, &str) = ("me@example.com", "a p@ss/word");

/// What a server does instead of giving its usual reply.
#[derive(Clone, Debug)]
pub enum Act {
    /// Says this, whatever it is, and goes on.
    Say(String),
    /// Says this again and again.
    Repeat(String),
    /// Says nothing until the client hangs up.
    Silence,
    /// Hangs up.
    Close,
}

/// How a mail server behaves.
#[derive(Clone, Default)]
pub struct Manners {
    /// Its certificate: with it, it offers STARTTLS.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whether TLS begins with the first byte.
    pub is_smtps: bool,
    /// The logins that it offers, such as `PLAIN LOGIN`.
    pub logins: &'static str,
}

/// A mail as it was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who it is from, by the envelope.
    pub from: String,
    /// Who gets it, by the envelope.
    pub to: Vec<String>,
    /// Its headers and its text.
    pub text: String,
    /// Whether it came through TLS.
    pub is_secured: bool,
    /// Whether somebody had logged in.
    pub has_login: bool,
}

impl Mail {
    /// The value of a header, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.text.split("\r\n\r\n").next()?.replace("\r\n ", " ");
        crate::server::header(&head, name).map(String::from)
    }
}

/// What there is of a mail server once it runs.
#[derive(Default)]
struct Log {
    commands: Mutex<Vec<String>>,
    mails: Mutex<Vec<Mail>>,
}

/// A mail server on a free port of 127.0.0.1.
pub struct MailServer {
    /// Where it listens.
    pub server: Server,
    log: Arc<Log>,
}

impl MailServer {
    /// Starts a server with these manners.
    pub fn new(manners: Manners) -> Self {
        Self::with(manners, |_| None)
    }

    /// The same, but for what `act` does upon a command. The greeting is upon an empty one, and the end of a mail upon
    /// `.`.
    pub fn with(manners: Manners, act: impl Fn(&str) -> Option<Act> + Send + Sync + 'static) -> Self {
        let log = Arc::<Log>::default();
        let kept = log.clone();
        let server = Server::new(move |stream, _| {
            // Whoever hangs up in the middle is no fault of the test's.
            let _ = converse(stream, &manners, &act, &log);
        });
        Self { server, log: kept }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// The mails that it took so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.log.mails.lock().unwrap().clone()
    }

    /// The commands that it got so far, those of all connections.
    pub fn commands(&self) -> Vec<String> {
        self.log.commands.lock().unwrap().clone()
    }
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// A connection that is given up: the client hung up, or the server is to.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

struct Talk<'a> {
    tcp: TcpStream,
    stream: Box<dyn Stream>,
    act: &'a dyn Fn(&str) -> Option<Act>,
    is_secured: bool,
}

impl Talk<'_> {
    /// Reads a line without its end.
    fn line(&mut self) -> Result<String, Over> {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") {
            self.stream.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).map_err(|_| Over)
    }

    /// Replies to a command, by the usual words or as the test wants. Returns whether the reply was the usual one.
    fn reply(&mut self, command: &str, usual: &str) -> Result<bool, Over> {
        let act = (self.act)(command);
        let is_usual = act.is_none();
        self.do_it(act.unwrap_or_else(|| Act::Say(format!("{usual}\r\n")))).map(|()| is_usual)
    }

    fn do_it(&mut self, act: Act) -> Result<(), Over> {
        match act {
            Act::Say(text) => self.say(&text),
            Act::Repeat(text) => loop {
                self.say(&text)?;
            },
            Act::Silence => {
                until_closed(self.tcp.try_clone()?);
                Err(Over)
            }
            Act::Close => {
                self.tcp.shutdown(Shutdown::Both)?;
                Err(Over)
            }
        }
    }

    fn say(&mut self, text: &str) -> Result<(), Over> {
        self.stream.write_all(text.as_bytes())?;
        Ok(self.stream.flush()?)
    }

    fn secure(&mut self, config: &Arc<ServerConfig>) -> Result<(), Over> {
        let tls = ServerConnection::new(config.clone()).map_err(|_| Over)?;
        self.stream = Box::new(StreamOwned::new(tls, self.tcp.try_clone()?));
        self.is_secured = true;
        Ok(())
    }

    /// The rest of a login. Returns whether it is right.
    fn log_in(&mut self, command: &str) -> Result<bool, Over> {
        let decode = |text: &str| STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (user, password) = LOGIN;
        if let Some(first) = command.strip_prefix("AUTH PLAIN ") {
            return Ok(decode(first) == Some(format!("\0{user}\0{password}")));
        }
        let mut answers = Vec::new();
        for question in ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"] {
            self.say(&format!("334 {question}\r\n"))?;
            let line = self.line()?;
            answers.push(decode(&line));
        }
        Ok(answers == [Some(user.into()), Some(password.into())])
    }

    /// The lines of a mail up to the dot, without the dots that were added.
    fn mail(&mut self) -> Result<String, Over> {
        let mut text = String::new();
        loop {
            match self.line()?.as_str() {
                "." => return Ok(text),
                line => text.extend([line.strip_prefix('.').unwrap_or(line), "\r\n"]),
            }
        }
    }
}

fn converse(tcp: TcpStream, manners: &Manners, act: &dyn Fn(&str) -> Option<Act>, log: &Log) -> Result<(), Over> {
    let stream = Box::new(tcp.try_clone()?);
    let mut talk = Talk { tcp, stream, act, is_secured: false };
    if let Some(config) = manners.tls.as_ref().filter(|_| manners.is_smtps) {
        talk.secure(config)?;
    }
    let (mut from, mut to, mut has_login) = (String::new(), Vec::new(), false);
    talk.reply("", "220 mail.test ESMTP")?;
    loop {
        let command = talk.line()?;
        log.commands.lock().unwrap().push(command.clone());
        let path = || command.split(['<', '>']).nth(1).unwrap_or_default().to_string();
        match command.split(' ').next().unwrap_or_default() {
            "EHLO" => {
                let mut lines = vec!["mail.test".to_string(), "8BITMIME".into()];
                lines.extend(manners.tls.as_ref().filter(|_| !talk.is_secured).map(|_| "STARTTLS".into()));
                lines.extend(Some(format!("AUTH {}", manners.logins)).filter(|_| !manners.logins.is_empty()));
                let last = lines.pop().unwrap();
                let before: String = lines.iter().flat_map(|line| ["250-", line, "\r\n"]).collect();
                talk.reply(&command, &format!("{before}250 {last}"))?;
            }
            "STARTTLS" => {
                let config = manners.tls.as_ref().ok_or(Over)?;
                if talk.reply(&command, "220 go ahead")? {
                    talk.secure(config)?;
                }
            }
            "AUTH" => {
                has_login = talk.log_in(&command)?;
                let usual = if has_login { "235 2.7.0 welcome" } else { "535 5.7.8 no such user or password" };
                has_login &= talk.reply(&command, usual)?;
            }
            "MAIL" => {
                (from, to) = (path(), Vec::new());
                talk.reply(&command, "250 ok")?;
            }
            "RCPT" => {
                if talk.reply(&command, "250 ok")? {
                    to.push(path());
                }
            }
            "DATA" => {
                if talk.reply(&command, "354 go on")? {
                    let text = talk.mail()?;
                    let mail =
                        Mail { from: from.clone(), to: to.clone(), text, is_secured: talk.is_secured, has_login };
                    let act = (talk.act)(".");
                    // It has the mail before it says so: the answer may be lost.
                    if !matches!(act, Some(Act::Say(_))) {
                        log.mails.lock().unwrap().push(mail);
                    }
                    talk.do_it(act.unwrap_or_else(|| Act::Say("250 2.0.0 queued\r\n".into())))?;
                }
            }
            "QUIT" => {
                talk.reply(&command, "221 bye")?;
                return Ok(());
            }
            _ => drop(talk.reply(&command, "502 what?")?),
        }
    }
}
