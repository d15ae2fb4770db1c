use std::cell::RefCell;

use super::*;

/// The mounts of a server that has one of everything.
const ZOO: &[u8] = include_bytes!("zoo.txt");

/// The fullest of these mounts, where each has so much free, and what was asked.
fn of(mounts: &[u8], free: &[(&str, u8)]) -> (Option<(u8, String)>, Vec<String>) {
    let asked = RefCell::new(Vec::new());
    let fullest = fullest_of(mounts, |at| {
        let at = String::from_utf8(at.into()).unwrap();
        let percent = free.iter().find(|(path, _)| *path == at).map(|(_, percent)| *percent);
        asked.borrow_mut().push(at);
        percent.or(Some(50))
    });
    (fullest.map(|(percent, at)| (percent, String::from_utf8(at).unwrap())), asked.into_inner())
}

fn fullest(mounts: &[u8], free: &[(&str, u8)]) -> Option<String> {
    of(mounts, free).0.map(|(percent, at)| format!("{percent} % on {at}"))
}

#[test]
fn of_a_zoo_of_mounts_only_local_disks_are_asked_each_once() {
    let local = [
        "/",
        "/boot",
        "/boot/efi",
        "/var",
        "/home",
        "/tank",
        "/tank/backup of web\\db",
        "/data",
        "/run/media/web/Käse\tstick",
        "/var-log",
    ];
    assert_eq!(of(ZOO, &[]).1, local);
}

#[test]
fn nothing_is_asked_that_may_hang_nor_what_lies_behind_it() {
    let (_, asked) = of(ZOO, &[]);
    for path in ["/mnt/nas", "/mnt/nas/scratch", "/mnt/share", "/mnt/ssh", "/mnt/windows", "/net", "/net/disk"] {
        assert!(!asked.iter().any(|at| at == path), "{path}");
    }
    // What a network's mount hides would be the network's.
    assert!(!asked.iter().any(|at| at == "/srv/old"));
    // A root on a network is not local, and does not keep its disks from being asked.
    let diskless = b"1 0 0:9 / / rw - nfs4 nas:/root rw\n2 1 8:1 / /scratch rw - ext4 /dev/sda1 rw\n";
    assert_eq!(fullest(diskless, &[]).unwrap(), "50 % on /scratch");
    assert_eq!(of(b"1 0 0:9 / / rw - nfs4 nas:/root rw\n", &[]), (None, vec![]));
}

#[test]
fn the_fullest_counts_and_of_several_the_first() {
    assert_eq!(fullest(ZOO, &[]).unwrap(), "50 % on /");
    assert_eq!(fullest(ZOO, &[("/var", 4), ("/home", 7)]).unwrap(), "4 % on /var");
    assert_eq!(fullest(ZOO, &[("/tank/backup of web\\db", 0)]).unwrap(), "0 % on /tank/backup of web\\db");
    // Of two mounts of one file system the first has its name.
    assert_eq!(fullest(ZOO, &[("/srv/mysql", 1), ("/.snapshots", 1)]).unwrap(), "50 % on /");
}

#[test]
fn a_root_that_only_this_process_may_not_write_is_no_read_only_file_system() {
    // systemd's ProtectSystem=strict: the mount is read-only, the file system is not.
    assert_eq!(fullest(ZOO, &[("/", 3)]).unwrap(), "3 % on /");
    assert!(fullest(ZOO, &[("/srv/archive", 0), ("/media/cdrom", 0)]).unwrap().starts_with("50 %"));
}

#[test]
fn a_containers_root_is_its_disk() {
    let files = "12 1 8:1 /docker/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n";
    for kind in ["overlay", "fuse.fuse-overlayfs", "aufs", "simfs", "btrfs"] {
        let mounts = format!("1 0 0:40 / / rw,relatime - {kind} {kind} rw,lowerdir=a\n{files}");
        assert_eq!(fullest(mounts.as_bytes(), &[]).unwrap(), "50 % on /", "{kind}");
    }
}

#[test]
fn a_disk_that_this_user_may_not_see_is_passed_over() {
    let mounts = b"1 0 8:1 / /secret rw - ext4 a rw\n2 0 8:1 /x /open rw - ext4 a rw\n3 0 8:2 / /b rw - ext4 b rw\n";
    let seen = |at: &[u8]| match at {
        b"/secret" => None,
        b"/open" => Some(9),
        _ => Some(10),
    };
    assert_eq!(fullest_of(mounts, seen), Some((9, b"/open".to_vec())));
}

#[test]
fn lines_that_are_none_are_passed_over() {
    for text in ["", "\n", "1 2 3", "1 0 8:1 / / rw - ext4", "1 0 8:1 / / rw ext4 a rw", "\u{fffd} \\"] {
        assert_eq!(of(text.as_bytes(), &[]), (None, vec![]), "{text:?}");
    }
    assert_eq!(unescaped(br"/a\040b\134\x\04\777"), br"/a b\\x\04\777");
}

#[test]
fn this_machine_has_a_fullest_file_system() {
    let (percent, at) = super::fullest().expect("there is one");
    assert!(percent <= 100 && at.starts_with('/'), "{percent} % on {at}");
    assert_eq!(fullest_of(ROOT_ONLY, |_| Some(5)), Some((5, b"/".to_vec())));
}

#[test]
fn how_much_is_free_is_what_df_says() {
    let df = || {
        let said = std::process::Command::new("df").args(["-P", "/"]).output().unwrap().stdout;
        let said = String::from_utf8(said).unwrap();
        let used = said.split_whitespace().find_map(|word| word.strip_suffix('%')).unwrap_or_else(|| panic!("{said}"));
        100 - used.parse::<u8>().unwrap()
    };
    // Others write meanwhile.
    let (before, free, after) = (df(), free_pct(b"/").unwrap(), df());
    assert!((before.min(after)..=before.max(after)).contains(&free), "{free} %, df: {before} %, {after} %");
}
