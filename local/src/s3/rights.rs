//! Who may do what: the rights of a host, as data, and the refusals of AWS.

use hyper::HeaderMap;
use pulse_echo_core::name::Name;

/// Whom a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// May do everything.
    Operator,
    /// A host, which has the rights of [`HOST`].
    Host(Name),
}

/// A right of a host: one action on one set of objects.
struct Right {
    action: &'static str,
    on: On,
}

/// The objects of a right.
enum On {
    /// In this folder, what is the host's own: `FOLDER/HOST.json` and all below `FOLDER/HOST/`.
    Own(&'static str),
    /// The object with this key.
    Key(&'static str),
}

/// All rights of a host. There are no others.
const HOST: &[Right] = &[
    Right { action: "s3:PutObject", on: On::Own("pulse") },
    Right { action: "s3:GetObject", on: On::Own("pulse") },
    Right { action: "s3:DeleteObject", on: On::Own("pulse") },
    Right { action: "s3:PutObject", on: On::Own("retire") },
    Right { action: "s3:GetObject", on: On::Own("echo") },
    Right { action: "s3:GetObject", on: On::Own("fault") },
    Right { action: "s3:GetObject", on: On::Key("loop/Update.json") },
];

/// Headers of a PUT that a host may not send: each asks for more than an object with a body and metadata.
const REFUSED: &[&str] = &[
    "x-amz-acl",
    "x-amz-grant-",
    "x-amz-tagging",
    "x-amz-object-lock-",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption-",
];

/// Headers of a PUT that a host may send with this value only: it is what the object gets without them.
const USUAL: &[(&str, &str)] = &[("x-amz-storage-class", "STANDARD"), ("x-amz-server-side-encryption", "AES256")];

/// A request, as its right is judged.
pub(super) struct Act<'a> {
    /// The name of the operation, such as `PutObject`.
    pub(super) operation: &'a str,
    pub(super) bucket: &'a str,
    /// `None` if it is about the bucket, or about no bucket.
    pub(super) key: Option<&'a str>,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
}

impl Owner {
    /// The refusal of an act that this owner may not do, in the words of AWS.
    pub(super) fn refusal(&self, act: &Act<'_>) -> Option<String> {
        let Self::Host(host) = self else { return None };
        let is_allowed = act.key.is_some_and(|key| may(host, &act.action(), key)) && !act.asks_for_more();
        (!is_allowed).then(|| denied(host, &act.action(), act.bucket, act.key))
    }

    /// What AWS says to somebody who may not list the bucket, and asks for an object that is not there.
    pub(super) fn refusal_of_missing(&self, bucket: &str) -> Option<String> {
        match self {
            Self::Operator => None,
            Self::Host(host) => Some(denied(host, "s3:ListBucket", bucket, None)),
        }
    }
}

impl Act<'_> {
    /// The action of IAM that the operation needs.
    fn action(&self) -> String {
        // A version has a right of its own.
        let version = if self.query.split('&').any(|part| part.starts_with("versionId")) { "Version" } else { "" };
        match self.operation {
            "HeadObject" => format!("s3:GetObject{version}"),
            "GetObject" | "DeleteObject" => format!("s3:{}{version}", self.operation),
            "ListObjects" | "ListObjectsV2" | "HeadBucket" => "s3:ListBucket".to_owned(),
            "ListBuckets" => "s3:ListAllMyBuckets".to_owned(),
            operation => format!("s3:{operation}"),
        }
    }

    fn asks_for_more(&self) -> bool {
        let refused = |name: &str| REFUSED.iter().any(|beginning| name.starts_with(beginning));
        self.headers.iter().any(|(name, value)| match USUAL.iter().find(|(usual, _)| name == usual) {
            Some((_, usual)) => value != usual,
            None => refused(name.as_str()),
        })
    }
}

fn may(host: &Name, action: &str, key: &str) -> bool {
    HOST.iter().any(|right| {
        let is_on = match right.on {
            On::Key(only) => key == only,
            On::Own(folder) => {
                let rest = key.strip_prefix(folder).and_then(|key| key.strip_prefix('/'));
                rest.and_then(|rest| rest.strip_prefix(host.as_str()))
                    .is_some_and(|rest| rest == ".json" || rest.starts_with('/'))
            }
        };
        is_on && right.action == action
    })
}

fn denied(host: &Name, action: &str, bucket: &str, key: Option<&str>) -> String {
    let key = key.map_or(String::new(), |key| format!("/{key}"));
    format!(
        "User: arn:aws:iam::local:user/{host} is not authorized to perform: {action} on resource: \
         \"arn:aws:s3:::{bucket}{key}\" because no identity-based policy allows the {action} action"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract's list, in its own words: actions on objects of the host `V`.
    const LIST: &[&str] = &[
        "s3:PutObject pulse/V.json",
        "s3:PutObject pulse/V/*",
        "s3:GetObject pulse/V.json",
        "s3:GetObject pulse/V/*",
        "s3:DeleteObject pulse/V.json",
        "s3:DeleteObject pulse/V/*",
        "s3:PutObject retire/V.json",
        "s3:PutObject retire/V/*",
        "s3:GetObject echo/V.json",
        "s3:GetObject echo/V/*",
        "s3:GetObject fault/V.json",
        "s3:GetObject fault/V/*",
        "s3:GetObject loop/Update.json",
    ];

    #[test]
    fn a_host_has_the_rights_of_the_list_and_no_others() {
        let mut rights: Vec<String> = Vec::new();
        for Right { action, on } in HOST {
            match on {
                On::Key(key) => rights.push(format!("{action} {key}")),
                On::Own(folder) => {
                    rights.push(format!("{action} {folder}/V.json"));
                    rights.push(format!("{action} {folder}/V/*"));
                }
            }
        }
        rights.sort_unstable();
        let mut list = LIST.to_vec();
        list.sort_unstable();
        assert_eq!(rights, list);
    }

    #[test]
    fn what_is_a_hosts_own_ends_with_its_name() {
        let host: Name = "web-1".parse().unwrap();
        for (key, is_own) in [
            ("pulse/web-1.json", true),
            ("pulse/web-1/db.json", true),
            ("pulse/web-1/", true),
            ("pulse/web-1", false),
            ("pulse/web-10.json", false),
            ("pulse/web-1.json.json", false),
            ("pulse/web-1.json/x", false),
            ("pulse/Web-1.json", false),
            ("pulse/web.json", false),
            ("pulse/", false),
            ("pulseweb-1.json", false),
            ("xpulse/web-1.json", false),
            ("pulse/x/web-1.json", false),
        ] {
            assert_eq!(may(&host, "s3:PutObject", key), is_own, "{key}");
        }
    }
}
