"""What botocore makes of each case in cases.json: `verdicts.py FILE` compares with what the file has recorded, and
`verdicts.py --record FILE` records it. Texts of files are Latin-1, so that each byte can be written. It asks nobody: the
metadata service is switched off, and no request is made."""
import json
import os
import shutil
import sys
import tempfile

import botocore.exceptions
import botocore.session


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text.encode("latin-1"))


def attempt(act):
    try:
        return act()
    except (botocore.exceptions.BotoCoreError, ValueError, AttributeError, IndexError, KeyError, OSError) as error:
        return {"error": type(error).__name__}


def credentials(session):
    found = session.get_component("credential_provider").load_credentials()
    if found is None:
        return None
    if found.method not in ("env", "shared-credentials-file", "config-file", "custom-process"):
        return {"other": found.method}
    frozen = found.get_frozen_credentials()
    return {"key": frozen.access_key, "secret": frozen.secret_key, "token": frozen.token or None}


def endpoint(session):
    config = session.get_component("config_store")
    if config.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    client = session.create_client("s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    url = client.meta.endpoint_url
    return None if url == "https://s3.eu-west-1.amazonaws.com" else url


def verdict(case, is_quick):
    home = tempfile.mkdtemp()
    try:
        for name in ("credentials", "config"):
            if name in case:
                write(home, ".aws/" + name, case[name])
        os.environ.clear()
        os.environ.update({"HOME": home, "PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true"})
        for name, value in case.get("environment", {}).items():
            os.environ[name] = value.replace("HOME", home)
        session = botocore.session.Session(profile=case.get("profile"))
        found = {"credentials": attempt(lambda: credentials(session))}
        found["region"] = attempt(lambda: session.get_config_variable("region") or None)
        if not is_quick:
            # A client takes its time, and without a word of it there is no endpoint.
            told = json.dumps([value for name, value in case.items() if name != "botocore"]).lower()
            is_told = any(word in told for word in ("endpoint", "services"))
            found["endpoint"] = attempt(lambda: endpoint(session)) if is_told else None
        # Where it stops depends on what is asked first; all of it stops.
        return {name: "error" if isinstance(value, dict) and "error" in value else value for name, value in found.items()}
    finally:
        shutil.rmtree(home)


def main():
    is_recording, file = sys.argv[1] == "--record", sys.argv[-1]
    with open(file) as opened:
        cases = json.load(opened)
    differing = 0
    for case in cases:
        seen = verdict(case, is_quick="--quick" in sys.argv)
        if is_recording:
            case["botocore"] = seen
        elif seen != case["botocore"]:
            differing += 1
            print(f"{case['name']}: recorded {case['botocore']}, seen {seen}")
    if is_recording:
        with open(file, "w") as opened:
            opened.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    sys.exit(1 if differing else 0)


main()
