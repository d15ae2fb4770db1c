//! AWS's own clients work with the server. Where they are not installed, the test is left out with a line on stderr;
//! under `CI` it fails.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pulse_echo_local::s3::Server;
use pulse_echo_testkit::raw_client::{Client, KEY, SECRET, server};
use pulse_echo_testkit::store::BUCKET;
use pulse_echo_testkit::tally::left_out;
use tempfile::TempDir;

/// `program` with our keys and no other AWS settings; `None` if it does not run here.
fn client(server: &Server, dir: &TempDir, program: &str, probe: &[&str]) -> Option<impl Fn(&[&str]) -> Output> {
    let endpoint = server.endpoint();
    // The clients that `tests/tools.sh` installs, else the machine's own.
    let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-tools").join("bin").join(program);
    let path = if installed.exists() { installed } else { program.into() };
    // Version 1 of the command line still presigns by signature version 2 unless told otherwise.
    let config = dir.path().join("config");
    fs::write(&config, "[default]\ns3 =\n  signature_version = s3v4\n").unwrap();
    let command = move |args: &[&str]| {
        let mut command = Command::new(&path);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command
            .args(args)
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", &endpoint)
            .env("AWS_CONFIG_FILE", &config)
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_PROXY", "127.0.0.1,localhost")
            .output()
    };
    match command(probe) {
        Ok(output) if output.status.success() => Some(move |args: &[&str]| command(args).unwrap()),
        _ => {
            left_out(&format!("{program} {probe:?} does not run here"));
            None
        }
    }
}

#[track_caller]
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_aws_command_line_copies_lists_signs_and_removes() {
    let (server, dir) = server();
    let Some(aws) = client(&server, &dir, "aws", &["--version"]) else { return };
    let file = dir.path().join("pulse.json");
    fs::write(&file, "{\"url\":\"http://web-1/\"}").unwrap();
    let url = |key: &str| format!("s3://{BUCKET}/{key}");
    text(&aws(&["s3", "cp", file.to_str().unwrap(), &url("pulse/web 1+é.json"), "--metadata", "load1=0.5"]));
    text(&aws(&["s3", "cp", file.to_str().unwrap(), &url("pulse/web-2.json")]));

    let ours = Client::of(&server);
    let get = ours.get("pulse/web 1+é.json");
    assert_eq!((get.text().as_str(), get.header("x-amz-meta-load1")), ("{\"url\":\"http://web-1/\"}", "0.5"));
    assert_eq!(get.header("content-type"), "application/json");

    assert_eq!(text(&aws(&["s3", "cp", &url("pulse/web-2.json"), "-"])), get.text());
    let list = text(&aws(&["s3", "ls", &url("pulse/")]));
    assert!(list.lines().count() == 2 && list.contains("web 1+é.json"), "{list}");
    assert!(text(&aws(&["s3", "ls", &url("")])).contains("PRE pulse/"));
    assert!(text(&aws(&["s3", "ls"])).contains(BUCKET));

    let presigned = text(&aws(&["s3", "presign", &url("pulse/web-2.json"), "--expires-in", "60"]));
    assert_eq!(ours.raw("GET", presigned.trim(), &[], b"").text(), get.text());

    text(&aws(&["s3", "rm", &url("pulse/"), "--recursive"]));
    assert_eq!(ours.list(&[]).contents.len(), 0);
    let missing = aws(&["s3api", "head-object", "--bucket", BUCKET, "--key", "none"]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("(404)"));
}

#[test]
fn botocore_sees_what_it_sees_of_aws() {
    let (server, dir) = server();
    let Some(python) = client(&server, &dir, "python3", &["-c", "import botocore.session"]) else { return };
    print!("{}", text(&python(&["-c", BOTOCORE])));
}

const BOTOCORE: &str = r#"
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "pulses"

def code(call, **arguments):
    try:
        call(Bucket=BUCKET, **arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]

for style in "path", "virtual":
    config = Config(s3={"addressing_style": style}, retries={"total_max_attempts": 1})
    s3 = botocore.session.get_session().create_client("s3", config=config)
    key = style + "/a b+c%/é&<\"'>.json"
    put = s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}", Metadata={"load1": "0.5"}, ContentType="text/x")
    assert put["ETag"] == '"99914b932bd37a50b983c5e7c90ae93b"', put
    got = s3.get_object(Bucket=BUCKET, Key=key)
    assert got["Body"].read() == b"{}" and got["Metadata"] == {"load1": "0.5"} and got["ContentType"] == "text/x", got
    assert got["LastModified"].microsecond == 0, got
    assert s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"] == 2
    assert s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=1-1")["Body"].read() == b"}"

    assert code(s3.put_object, Key=key, IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert code(s3.put_object, Key=key, IfMatch='"x"') == ("PreconditionFailed", 412)
    assert code(s3.put_object, Key="none", IfMatch=put["ETag"]) == ("NoSuchKey", 404)
    assert code(s3.delete_object, Key=key, IfMatch='"x"') == ("PreconditionFailed", 412)
    assert code(s3.get_object, Key="none") == ("NoSuchKey", 404)
    assert code(s3.head_object, Key="none") == ("404", 404)
    assert code(s3.put_object, Key=key, Metadata={"a": "x" * 2048}) == ("MetadataTooLarge", 400)
    assert code(s3.put_object, Key="k" * 1025) == ("KeyTooLongError", 400)
    assert code(s3.create_multipart_upload, Key=key) == ("NotImplemented", 501)
    s3.put_object(Bucket=BUCKET, Key=key, IfMatch=put["ETag"], Body=b"2")

    for n in range(5):
        s3.put_object(Bucket=BUCKET, Key=f"{style}-n/{n}")
    for operation in "list_objects_v2", "list_objects":
        paginate = s3.get_paginator(operation).paginate
        pages = list(paginate(Bucket=BUCKET, Prefix=style, PaginationConfig={"PageSize": 2}))
        found = [o["Key"] for page in pages for o in page["Contents"]]
        assert found == [f"{style}-n/{n}" for n in range(5)] + [key], found
        assert len(pages) == 3
        pages = list(paginate(Bucket=BUCKET, Delimiter="/", PaginationConfig={"PageSize": 1}))
        found = [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])]
        assert found[-2:] == [f"{style}-n/", f"{style}/"], found
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=style + "/")["Contents"][0]["ETag"].startswith('"')

    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] is None
    assert s3.head_bucket(Bucket=BUCKET)["BucketRegion"] == "us-east-1"
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == [BUCKET]
    for n in range(5):
        s3.delete_object(Bucket=BUCKET, Key=f"{style}-n/{n}")
    s3.delete_object(Bucket=BUCKET, Key=key)
    s3.delete_object(Bucket=BUCKET, Key=key)

# The body's hash is signed, so a body that was changed on its way is refused.
def change(request, **_):
    request.body = b"xx"
s3.meta.events.register("before-send.s3.PutObject", change)
assert code(s3.put_object, Key="k", Body=b"{}", ChecksumAlgorithm="SHA256")[1] == 400
"#;
