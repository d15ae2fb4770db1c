//! The options of `serve`, and its settings in the environment.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;
use pulse_echo_core::http::url::web_url;

use crate::page::{PageOptions, address};
use crate::s3::Limits;
use crate::{complain, limits};

/// What to serve, and where.
#[derive(Args)]
pub struct Options {
    /// Folder of the objects and the keys; made if need be
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9810", value_parser = address)]
    pub(super) listen: SocketAddr,
    /// The URL by which hosts reach it, if that is another: through a proxy, or by another name
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// Name of the one bucket there is
    #[arg(long, default_value = "pulse-echo")]
    pub(super) bucket: String,
    /// Speak TLS, with the certificates in this file (PEM, the server's own first); read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// Networks of proxies in front of it, such as 10.0.0.5 or 10.0.0.0/24: connections from there are not counted
    /// against one address [default: this machine]
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub(super) proxy: Vec<IpNet>,
    #[command(flatten)]
    pub(super) page: PageOptions,
}

/// The settings that come from the environment.
pub const SETTINGS: &str = "\
Settings in the environment:
  TICK_S             seconds between two sweeps, 5 to 900 [default: 60]
  MIN_INTERVAL_S     no sweep so many seconds after another, 0 to 900 [default: 30]
  REMIND_S           seconds until an outage is told again, 60 to 2678400 [default: 14400]
  FAULTS_IN_ROW      faults in a row that are an outage, 1 to 100 [default: 1]
  CHECKS_PER_HOST    checks of one host that are watched, 1 to 10000; its key puts twice as many [default: 500]
  TELL_NEW           whether a new check is told, on or off [default: off]
  STATUS_PAGE        whether the page is kept as status.html, too, on or off [default: off]
  SLACK_URL          an incoming webhook of Slack that gets messages
  SLACK_CHANNEL      its channel, where the webhook lets it choose [default: #medical-check]
  SLACK_USER         its sender's name, likewise [default: medic]
  WEBHOOK_URL        a URL that gets messages as JSON
  WEBHOOK_SECRET     signs what WEBHOOK_URL gets
  ALERT_TOPIC_ARN    an SNS topic that gets messages
  PAGERDUTY_KEY      the integration key of a PagerDuty service, of its Events API v2
  PAGERDUTY_URL      another address of that API, such as https://events.eu.pagerduty.com/v2/enqueue
  ALERTMANAGER_URL   an Alertmanager that gets alerts, such as http://alertmanager:9093
  NTFY_URL           a server of ntfy and a topic that get messages, such as https://ntfy.sh/my-alerts
  NTFY_TOKEN         the access token for that topic
  NTFY_CLICK         the page that a tap on such a message opens
  SMTP_URL           a mail server that gets mails, such as smtps://user:password@mail.example.com
  SMTP_FROM          who mails are from
  SMTP_TO            who gets mails, with commas between several
  NAME_ONLY          of which checks a channel is told [example: web-*, !web-test-*]: SLACK_ONLY, WEBHOOK_ONLY,
                     SNS_ONLY, PAGERDUTY_ONLY, ALERTMANAGER_ONLY, NTFY_ONLY, SMTP_ONLY
  NAME_STATES        what of them, some of down, reminder, up, gone [default: all]: SLACK_STATES, WEBHOOK_STATES,
                     SNS_STATES, PAGERDUTY_STATES, ALERTMANAGER_STATES, NTFY_STATES, SMTP_STATES
  HEARTBEAT_URL      a URL that is fetched after each sweep
  PROBE_ALLOW        networks to which the probe may connect besides public addresses [example: 192.168.0.0/16]
  PROBE_PORTS        the only ports to which the probe may connect [example: 443, 8000-8999]
  PROBE_CA_BUNDLE    a file with CAs to trust besides the public ones
  PROBE_CONTACT      whom owners of what is fetched may ask [example: ops@example.com]";

fn network(text: &str) -> Result<IpNet, String> {
    let address = |_| text.parse::<IpAddr>().map(IpNet::from);
    text.trim()
        .parse()
        .or_else(address)
        .map_err(|_| "it is neither an address nor a network such as 10.0.0.0/24".into())
}

/// Refuses what no proxy can serve: a signature covers the whole path, so nothing may take away its beginning.
pub(super) fn check_public_url(text: &str) -> Result<(), String> {
    let url = web_url(text)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "it has a path before the bucket ({}); clients sign the whole path, so a proxy cannot take that away: give \
             the server a name of its own",
            &url[url::Position::BeforePath..]
        ));
    }
    Ok(())
}

/// As many places as the system allows files for this process.
pub(super) fn places(proxies: Vec<IpNet>) -> Limits {
    let usual = Limits { proxies, ..Limits::default() };
    // Each connection is a file; as many again are for probes, channels and the store.
    let wanted = 2 * (usual.far + usual.near) as u64;
    let allowed = limits::open_files().unwrap_or(wanted);
    if allowed >= wanted {
        return usual;
    }
    let share = |places: usize| (places as u64 * allowed / wanted).max(8).try_into().unwrap_or(places);
    let (far, near) = (share(usual.far), share(usual.near));
    complain(&format_args!(
        "it may open {allowed} files only, so it takes {far} connections; with ulimit -n {wanted} it takes {}",
        usual.far
    ));
    Limits { far, near, ..usual }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_a_path_or_without_a_scheme_is_refused() {
        for good in ["https://pulses.example.com", "http://10.0.0.1:9810/"] {
            assert_eq!(check_public_url(good), Ok(()));
        }
        for bad in ["https://example.com/pulses", "https://example.com/?a", "pulses.example.com"] {
            assert!(check_public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn where_to_listen_is_an_address_with_a_port() {
        for good in ["127.0.0.1:0", "[::1]:9810"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["9810", "127.0.0.1", "::1:9810", "localhost:9810"] {
            assert!(address(bad).unwrap_err().contains("such as 127.0.0.1:9810"), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        for (text, contained) in
            [("10.0.0.5", "10.0.0.5"), ("10.0.0.0/24", "10.0.0.77"), ("2001:db8::/32", "2001:db8::1")]
        {
            assert!(network(text).unwrap().contains(&contained.parse::<IpAddr>().unwrap()), "{text}");
        }
        assert!(network("proxy.example.com").is_err());
    }
}
