//! The configuration file, `config.json`.

use std::path::Path;

use serde::de::MapAccess;
use serde_json::Value;

use crate::args::TIMEOUT_S;
use crate::input;
use pulse_echo_core::json::{self, Unknown};

/// The largest file that is read, in bytes.
const SIZE_LIMIT: u64 = 64 * 1024;

/// The content of the file.
#[derive(Debug, Default, PartialEq)]
pub struct Config {
    pub bucket: Option<String>,
    pub host: Option<String>,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    pub path_style: Option<bool>,
    pub timeout_s: Option<u32>,
    pub ca_file: Option<String>,
}

impl json::Object for Config {
    const WHAT: &'static str = "the configuration";
    const FIELDS: &'static [&'static str] =
        &["bucket", "host", "region", "endpoint", "path_style", "timeout_s", "ca_file"];

    fn read<'de, A: MapAccess<'de>>(&mut self, field: &str, map: &mut A) -> Result<(), A::Error> {
        match field {
            "bucket" => self.bucket = Some(map.next_value()?),
            "host" => self.host = Some(map.next_value()?),
            "region" => self.region = Some(map.next_value()?),
            "endpoint" => self.endpoint = Some(map.next_value()?),
            "path_style" => self.path_style = Some(map.next_value()?),
            "timeout_s" => self.timeout_s = Some(map.next_value_seed(&TIMEOUT_S)?),
            "ca_file" => self.ca_file = Some(map.next_value()?),
            other => unreachable!("{other} is not in FIELDS"),
        }
        Ok(())
    }
}

impl Config {
    /// Reads the file. A missing file counts as empty, unless it was asked for. A relative `ca_file` lies beside it.
    pub fn read(file: &Path, is_asked_for: bool) -> Result<Self, String> {
        let text = match input::read(file, SIZE_LIMIT) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_asked_for => return Ok(Self::default()),
            Err(error) => {
                let file = file.display();
                let remedy = match error.kind() {
                    std::io::ErrorKind::PermissionDenied => format!("; it holds no secret: chmod a+r {file}"),
                    _ => String::new(),
                };
                return Err(format!("cannot read the configuration {file}: {error}{remedy}"));
            }
        };
        let mut config: Self = json::read(&text, Unknown::Refused).map_err(|error| in_file(file, &error))?;
        if let (Some(ca_file), Some(folder)) = (&mut config.ca_file, file.parent()) {
            *ca_file = folder.join(&ca_file).display().to_string();
        }
        Ok(config)
    }

    /// The text to write.
    pub fn to_json(&self) -> String {
        let text = |value: &Option<String>| value.as_deref().map(Value::from);
        json::write(&[
            ("bucket", text(&self.bucket)),
            ("region", text(&self.region)),
            ("endpoint", text(&self.endpoint)),
            ("path_style", self.path_style.map(Value::from)),
            ("host", text(&self.host)),
            ("ca_file", text(&self.ca_file)),
            ("timeout_s", self.timeout_s.map(Value::from)),
        ])
    }
}

/// An error in a file, as compilers show it: `FILE:LINE:COLUMN: what is wrong`.
pub fn in_file(file: &Path, error: &json::Error) -> String {
    format!("{}:{}:{}: {}", file.display(), error.line, error.column, error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_man_page_has_each_field_and_none_besides() {
        let page = include_str!("../../packaging/man/pulse-echo-config.5");
        let shown: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(".It Sy ")).collect();
        assert_eq!(shown, <Config as json::Object>::FIELDS);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = |text: &str| Some(text.to_string());
        let config = Config {
            bucket: text("pulses"),
            host: text("web-1"),
            region: text("eu-central-1"),
            endpoint: text("https://s3.example.com"),
            path_style: Some(true),
            timeout_s: Some(30),
            ca_file: text("/etc/ssl/a \"b\".pem"),
        };
        assert_eq!(json::read::<Config>(config.to_json().as_bytes(), Unknown::Refused).unwrap(), config);
        assert_eq!(Config::default().to_json(), "{}\n");
    }
}
