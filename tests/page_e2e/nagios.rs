//! A check that falls, comes back and cannot be looked at, as a real Nagios has it, which asks the host's own plugin by
//! NRPE.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use pulse_echo_testkit::agent;
use pulse_echo_testkit::local::{FREE_PORT, Running, program, serve};
use pulse_echo_testkit::server::{Reply, Server};
use pulse_echo_testkit::tally::Tally;

use crate::alertmanager::wait;
use crate::prometheus::Killed;

/// The user and the group that NRPE runs as: it refuses to be root.
const NOBODY: u32 = 65_534;

const NAGIOS: &str = "\
log_file=nagios.log
cfg_file=objects.cfg
object_cache_file=objects.cache
status_file=status.dat
status_update_interval=1
lock_file=lock
temp_file=temp
temp_path=FOLDER
check_result_path=results
query_socket=queries
nagios_user=root
nagios_group=root
interval_length=1
check_external_commands=0
";

const OBJECTS: &str = "\
define command {
  command_name pulse-echo
  command_line COMMAND
}
define contact {
  contact_name nobody
  host_notifications_enabled 0
  service_notifications_enabled 0
  host_notification_options n
  service_notification_options n
  host_notification_commands pulse-echo
  service_notification_commands pulse-echo
}
define host {
  host_name web-1
  address 127.0.0.1
  max_check_attempts 1
  contacts nobody
}
define service {
  host_name web-1
  service_description pulse-echo
  check_command pulse-echo
  max_check_attempts 1
  check_interval 1
  retry_interval 1
  contacts nobody
}
";

/// Runs the story of Nagios.
pub fn watch(tally: &mut Tally, tools: &Path) {
    tally.run("a check that falls, comes back and cannot be looked at does so in Nagios, by NRPE", || {
        falls_and_comes_back(tools)
    });
}

fn falls_and_comes_back(tools: &Path) -> Result<(), String> {
    let (site, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let site = site.path();
    let status = Arc::new(AtomicU16::new(200));
    let answers = status.clone();
    let service = Server::replying(move |_| Reply::of(answers.load(Ordering::SeqCst), ""));
    // The loop does not sweep meanwhile: the plugin counts that as something of which it has no room to speak.
    let variables = [("MIN_INTERVAL_S", "0"), ("TICK_S", "900")];
    let mut local = Running::of(serve(data.path(), &FREE_PORT).envs(variables));
    local.endpoint();

    // What lies on the host, for NRPE's user.
    let host = site.join("web-1");
    let mut add = program(&["key", "add", "web-1", "--data"]);
    let added = add.arg(data.path()).arg("--to").arg(&host).output().map_err(|error| error.to_string())?;
    if !added.status.success() {
        return Err(String::from_utf8_lossy(&added.stderr).into());
    }
    fs::copy(agent::program(), site.join("pulse-echo")).unwrap();
    fs::set_permissions(site, Permissions::from_mode(0o755)).unwrap();
    for path in [&host, &host.join("credentials")] {
        chown(path, Some(NOBODY), None).map_err(|error| format!("root is needed: {error}"))?;
    }
    let called = format!(
        "/usr/bin/env AWS_EC2_METADATA_DISABLED=true AWS_SHARED_CREDENTIALS_FILE={0}/web-1/credentials {0}/pulse-echo \
         --config {0}/web-1/config.json",
        site.display()
    );
    let send = |every_s: u32| {
        let pulse = format!("{{\"url\": \"{}\", \"status\": 200, \"every_s\": {every_s}}}", service.url());
        fs::write(host.join("pulse.json"), pulse).unwrap();
        wait("it is sent", || {
            let sent = Command::new("sh").args(["-c", &format!("{called} send --quiet")]).output();
            let sent = sent.map_err(|error| error.to_string())?;
            if sent.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&sent.stderr).into()) }
        })
    };

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _nrpe = Killed(nrpe(tools, site, port, &format!("{called} check"))?);
    let nagios = nagios(tools, site, port)?;

    send(600)?;
    wait("it is OK", || shows(site, "0", "ECHO OK - web-1 answered ", ""))?;
    status.store(500, Ordering::SeqCst);
    send(601)?;
    wait("it is CRITICAL", || {
        shows(site, "2", "ECHO CRITICAL - web-1: status 500, expected 200 (also 1 OK)", "CRITICAL: web-1: ")
    })?;
    status.store(200, Ordering::SeqCst);
    send(602)?;
    wait("it is OK again", || shows(site, "0", "ECHO OK - web-1 answered ", ""))?;
    local.signal("-TERM");
    local.end();
    wait("it is UNKNOWN", || shows(site, "3", "ECHO UNKNOWN - ", "the connection was refused"))?;
    nagios.signal("-TERM");
    nagios.end();

    let log = fs::read_to_string(site.join("nagios.log")).unwrap_or_default();
    let alerts: Vec<_> = log.lines().filter_map(|line| line.split("SERVICE ALERT: web-1;pulse-echo;").nth(1)).collect();
    println!("{}", alerts.join("\n"));
    // Before the first pulse it is unknown, or was not looked at.
    let told: Vec<_> = alerts.iter().filter_map(|alert| alert.split(';').next()).collect();
    if told.ends_with(&["CRITICAL", "OK", "UNKNOWN"]) { Ok(()) } else { Err(format!("Nagios alerts: {alerts:#?}")) }
}

fn nrpe(tools: &Path, site: &Path, port: u16, command: &str) -> Result<std::process::Child, String> {
    let config = format!(
        "server_port={port}\nserver_address=127.0.0.1\npid_file={0}/nrpe.pid\nnrpe_user=nobody\nnrpe_group=nogroup\n\
         allowed_hosts=127.0.0.1\ndisable_syslog=1\nlog_file={0}/nrpe.log\ncommand[pulse-echo]={command}\n",
        site.display()
    );
    fs::write(site.join("nrpe.cfg"), config).unwrap();
    let libraries = ["lib", "usr/lib"]
        .map(|folder| tools.join(folder).join(format!("{}-linux-gnu", std::env::consts::ARCH)).display().to_string());
    let mut nrpe = Command::new(tools.join("usr/sbin/nrpe"));
    nrpe.args(["-f", "-c", "nrpe.cfg"]).current_dir(site).env("LD_LIBRARY_PATH", libraries.join(":"));
    nrpe.stdin(Stdio::null()).spawn().map_err(|error| error.to_string())
}

fn nagios(tools: &Path, site: &Path, port: u16) -> Result<Running, String> {
    let plugin = tools.join("usr/lib/nagios/plugins/check_nrpe");
    let command = format!("{} -H 127.0.0.1 -p {port} -c pulse-echo -t 15", plugin.display());
    fs::write(site.join("objects.cfg"), OBJECTS.replace("COMMAND", &command)).unwrap();
    fs::write(site.join("nagios.cfg"), NAGIOS.replace("FOLDER", &site.display().to_string())).unwrap();
    fs::create_dir(site.join("results")).map_err(|error| error.to_string())?;
    let mut nagios = Command::new(tools.join("usr/sbin/nagios4"));
    nagios.arg(site.join("nagios.cfg")).current_dir(site).stdin(Stdio::null()).stdout(Stdio::null());
    Ok(Running::of(&mut nagios))
}

/// Whether Nagios has the service in this state, with this first line, and with this in the lines after it.
fn shows(site: &Path, state: &str, line: &str, more: &str) -> Result<(), String> {
    let text = fs::read_to_string(site.join("status.dat")).unwrap_or_default();
    let block = text.split("servicestatus {").nth(1).unwrap_or_default().split('}').next().unwrap_or_default();
    let value =
        |name: &str| block.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('=')).unwrap_or("");
    let (first, figures) = (value("plugin_output"), value("performance_data"));
    let is_so = value("current_state") == state
        && value("has_been_checked") == "1"
        && first.starts_with(line)
        && value("long_plugin_output").contains(more)
        && (state == "3" || figures.starts_with("age="));
    if is_so { Ok(()) } else { Err(format!("Nagios has {block}")) }
}
