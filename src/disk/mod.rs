//! How full this machine is: its fullest local file system.
//!
//! Only file systems that the kernel itself keeps on a disk are asked how much of them is free. One of a network, of a
//! program (FUSE) or of an automounter may not answer for hours, and would keep the pulse from being sent; so would a
//! path that leads through one.

#[cfg(test)]
mod tests;

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The mounts, as this process sees them. `/proc/mounts` does not tell apart a file system that is read-only from one
/// that is mounted so for this process, as all are under systemd's `ProtectSystem=strict`.
const MOUNTS: &str = "/proc/self/mountinfo";

/// What is looked at where there is no list.
const ROOT_ONLY: &[u8] = b"1 0 0:0 / / rw - ext4 - rw";

/// How long the disks have time to answer: one that is dying must not keep the pulse from being sent.
const PATIENCE: Duration = Duration::from_secs(2);

/// File systems that the kernel keeps on a disk, and that can be written. What is only ever read (squashfs, iso9660,
/// erofs …) is always full.
const LOCAL: [&str; 20] = [
    "ext4", "xfs", "btrfs", "zfs", "ext3", "ext2", "f2fs", "bcachefs", "jfs", "reiserfs", "nilfs2", "vfat", "msdos",
    "exfat", "ntfs3", "ntfs", "hfsplus", "hfs", "ufs", "minix",
];

/// What the root of a container may be. Elsewhere, an overlay is a container's, whose disk is in the list anyway.
const ROOTS: [&str; 4] = ["overlay", "fuse.fuse-overlayfs", "aufs", "simfs"];

/// What a path to a disk may lead through besides: it is in memory, or on a disk.
const SAFE: [&str; 6] = ["tmpfs", "ramfs", "rootfs", "devtmpfs", "squashfs", "erofs"];

/// The fullest local file system: how much of it is free for all users, in percent, and where it is mounted. `None` if
/// there is none, or it does not answer in time.
pub fn fullest() -> Option<(u8, String)> {
    let (tell, told) = mpsc::channel();
    let look = move || {
        let mounts = fs::read(MOUNTS).unwrap_or_else(|_| ROOT_ONLY.into());
        // Nobody listens any more if it took too long.
        let _ = tell.send(fullest_of(&mounts, free_pct));
    };
    thread::Builder::new().spawn(look).ok()?;
    let (percent, at) = told.recv_timeout(PATIENCE).ok()??;
    Some((percent, String::from_utf8_lossy(&at).into_owned()))
}

/// As df counts it: the blocks reserved for root are neither used nor free. `None` for what has no size, or is not for
/// this user to see.
fn free_pct(at: &[u8]) -> Option<u8> {
    let disk = rustix::fs::statvfs(at).ok()?;
    let used = disk.f_blocks.checked_sub(disk.f_bfree)?;
    let all = used.checked_add(disk.f_bavail)?;
    u8::try_from(disk.f_bavail.checked_mul(100)?.checked_div(all)?).ok()
}

/// A mount, as `/proc/self/mountinfo` has it.
struct Mount<'a> {
    /// The device: the same for all mounts of a file system.
    device: &'a [u8],
    /// Where it is mounted, escaped.
    at: &'a [u8],
    kind: &'a [u8],
    /// Whether the file system itself is read-only.
    is_read_only: bool,
}

impl<'a> Mount<'a> {
    /// Reads `36 35 98:0 /root /mnt rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue`. The number of fields
    /// before the dash varies.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        let (device, at) = (fields.nth(2)?, fields.nth(1)?);
        let kind = fields.by_ref().skip_while(|field| *field != b"-").nth(1)?;
        let is_read_only = fields.nth(1)?.split(|byte| *byte == b',').next() == Some(b"ro");
        Some(Self { device, at, kind, is_read_only })
    }

    fn is_any_of(&self, kinds: &[&str]) -> bool {
        kinds.iter().any(|kind| kind.as_bytes() == self.kind)
    }

    fn is_local(&self) -> bool {
        !self.is_read_only && (self.is_any_of(&LOCAL) || (self.at == b"/" && self.is_any_of(&ROOTS)))
    }

    /// Whether a path through it may hang. The root cannot be avoided.
    fn may_hang(&self) -> bool {
        self.at != b"/" && !(self.is_any_of(&LOCAL) || self.is_any_of(&ROOTS[..1]) || self.is_any_of(&SAFE))
    }

    /// Whether it is mounted below the other.
    fn is_below(&self, other: &Self) -> bool {
        self.at.strip_prefix(other.at).is_some_and(|rest| rest.starts_with(b"/"))
    }
}

/// The fullest of the local file systems among these mounts; of several the first. `free_pct` tells how much of the one
/// at a path is free, and is asked once for each.
fn fullest_of(mounts: &[u8], free_pct: impl Fn(&[u8]) -> Option<u8>) -> Option<(u8, Vec<u8>)> {
    let mounts: Vec<_> = mounts.split(|byte| *byte == b'\n').filter_map(Mount::parse).collect();
    let mut asked: Vec<&[u8]> = Vec::new();
    let mut fullest = None;
    for (place, mount) in mounts.iter().enumerate().filter(|(_, mount)| mount.is_local()) {
        // What was mounted later at the same place hides it.
        let is_hidden = mounts[place + 1..].iter().any(|later| later.at == mount.at);
        if is_hidden || asked.contains(&mount.device) {
            continue;
        }
        if mounts.iter().any(|other| other.may_hang() && mount.is_below(other)) {
            continue;
        }
        let at = unescaped(mount.at);
        let Some(percent) = free_pct(&at) else { continue };
        asked.push(mount.device);
        if fullest.as_ref().is_none_or(|(least, _)| percent < *least) {
            fullest = Some((percent, at));
        }
    }
    fullest
}

/// A path as it is: the kernel writes a blank as `\040`, and so tab, line feed and backslash.
fn unescaped(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = path;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match *rest {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] if byte == b'\\' => {
                plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = &rest[3..];
            }
            _ => plain.push(byte),
        }
    }
    plain
}
