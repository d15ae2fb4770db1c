#!/usr/bin/env python3
"""Writes what the licences of the crates in a program ask for: their names, their licences and their texts.

    notices.py PACKAGE SOURCE OUT

PACKAGE is pulse-echo, pulse-echo-lambda or pulse-echo-local; SOURCE the folder whose Cargo.lock the program is built by. OUT is the same
for both processors and on each machine. A crate without a licence's text, or with a licence that is not allowed, is an
error that names the crate.
"""

import json
import os
import re
import subprocess
import sys
import textwrap
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
CARGO = os.environ.get("CARGO", "cargo")
TARGETS = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"]

# The licences of which one is enough to give the program away with its texts, and nothing else.
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
}

# The texts of crates that have none in their folder: from their repositories, or the licence's own.
TEXTS = {
    "base64-simd": ["notices/simd-MIT"],
    "hex-simd": ["notices/simd-MIT"],
    "http-serde": ["../LICENSE-APACHE"],
    "instant-xml": ["../LICENSE-APACHE"],
    "lambda_runtime": ["notices/lambda-runtime-NOTICE", "../LICENSE-APACHE"],
    "lambda_runtime_api_client": ["notices/lambda-runtime-NOTICE", "../LICENSE-APACHE"],
    "vsimd": ["notices/simd-MIT"],
}

# Below Rust's sysroot.
RUST_SOURCES = "lib/rustlib/src/rust"

IS_TEXT = re.compile(r"(un)?licen[cs]e|copying|copyright|notice|patents", re.IGNORECASE)
NO_TEXT = {".c", ".h", ".json", ".py", ".rs", ".sh", ".toml"}


def fail(why):
    sys.exit(f"notices.py: {why}")


def run(arguments, folder):
    # std's own workspace is for nightly; this variable makes the stable cargo read it.
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1"} if "rustlib" in str(folder) else None
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        fail(f"{' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def linked(package, folder, *features):
    """What cargo's resolver links into a package, by its metadata: neither macros nor what only builds or tests."""
    tree = [CARGO, "tree", "--locked", "--package", package, "--edges", "normal,no-proc-macro", "--prefix", "none"]
    targets = [word for target in TARGETS for word in ("--target", target)]
    lines = run([*tree, "--format", "{p}", *features, *targets], folder).splitlines()
    platforms = [word for target in TARGETS for word in ("--filter-platform", target)]
    metadata = json.loads(run([CARGO, "metadata", "--locked", "--format-version", "1", *features, *platforms], folder))
    known = {(each["name"], each["version"]): each for each in metadata["packages"]}
    crates = {tuple(line.split()[:2]) for line in lines if line}
    return [known[name, version.removeprefix("v")] for name, version in sorted(crates)], metadata["workspace_members"]


def is_allowed(licence):
    """Whether one of the alternatives is allowed as a whole."""
    words = re.sub(r"\s+", " ", licence.replace("/", " OR ")).replace("(", " ( ").replace(")", " ) ")
    words = words.replace(" WITH ", "\0").split()

    def alternatives():
        holds = all_of()
        while words[:1] == ["OR"]:
            words.pop(0)
            holds = all_of() or holds
        return holds

    def all_of():
        holds = one()
        while words[:1] == ["AND"]:
            words.pop(0)
            holds = one() and holds
        return holds

    def one():
        word = words.pop(0) if words else ""
        if word != "(":
            return word.replace("\0", " WITH ") in ALLOWED
        holds = alternatives()
        return words.pop(0) == ")" and holds if words else False

    return alternatives() and not words


def texts_in(folder):
    """The licences and notices in a crate's folder; below it are those of code that it took from others."""
    found = (path for path in folder.rglob("*") if path.is_file() and IS_TEXT.match(path.name))
    return sorted(path for path in found if path.suffix not in NO_TEXT)


class Notices:
    def __init__(self):
        self.works = []
        # By the text without regard to its lines' ends: the text as it was first found, and the works under it.
        self.texts = defaultdict(lambda: ("", []))

    def add(self, name, version, licence, paths):
        work = f"{name} {version}".strip()
        if not is_allowed(licence or ""):
            fail(f"{work}: its licence is {licence or 'not named'}, which packaging/notices.py does not allow")
        if not paths:
            fail(f"{work}: there is no text of its licence ({licence}); add it to packaging/notices.py")
        self.works.append((work, licence))
        for path in paths:
            text = path.read_text(encoding="utf-8", errors="replace")
            key = " ".join(text.split())
            known, works = self.texts[key]
            if work not in works:
                works.append(work)
            self.texts[key] = (known or text, works)

    def add_crate(self, crate):
        paths = texts_in(Path(crate["manifest_path"]).parent) or [HERE / path for path in TEXTS.get(crate["name"], [])]
        self.add(crate["name"], crate["version"], crate["license"], paths)

    def write(self, package, out):
        width = max(len(work) for work, _ in self.works)
        out.write(f"What {package} is made of besides its own code, and under which licences.\n\n")
        for work, licence in sorted(self.works, key=lambda each: each[0].casefold()):
            out.write(f"{work:{width}}  {licence}\n")
        # Like texts are next to each other, which compresses best.
        for _, (text, works) in sorted(self.texts.items()):
            names = f"Licence or notice of: {', '.join(sorted(works, key=str.casefold))}"
            names = textwrap.fill(names, 80, break_on_hyphens=False)
            out.write(f"\n{'=' * 80}\n{names}\n{'=' * 80}\n\n")
            lines = [line.rstrip() for line in text.splitlines()]
            out.write("\n".join(lines).strip("\n") + "\n")


def main(package, source, out):
    notices = Notices()
    crates, own = linked(package, source)
    for crate in crates:
        if crate["id"] not in own:
            notices.add_crate(crate)

    sysroot = Path(run(["rustc", "--print", "sysroot"], source).strip())
    library = sysroot / RUST_SOURCES / "library"
    crates, own = linked("std", library, "--features", "backtrace,panic-unwind")
    for crate in crates:
        if crate["source"] is not None:
            notices.add_crate(crate)
    apache = HERE.parent / "LICENSE-APACHE"
    version = run(["rustc", "--version"], source).split()[1]
    of_rust = [HERE / "notices/rust-COPYRIGHT", HERE / "notices/Unicode-3.0", apache]
    notices.add("Rust's standard library", version, "(MIT OR Apache-2.0) AND Unicode-3.0", of_rust)
    compiler_builtins = [library / "compiler-builtins/LICENSE.txt"]
    notices.add("compiler-builtins", version, "MIT AND Apache-2.0 WITH LLVM-exception", compiler_builtins)
    llvm = [sysroot / RUST_SOURCES / "src/llvm-project/libunwind/LICENSE.TXT"]
    notices.add("LLVM's libunwind and start-up code", version, "Apache-2.0 WITH LLVM-exception", llvm)
    notices.add("musl", "", "MIT", [HERE / "notices/musl-COPYRIGHT"])

    with open(out, "w", encoding="utf-8", newline="\n") as file:
        notices.write(package, file)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
