#!/bin/sh
# Fetches the collections of odd mail that other projects test their readers with, each into a folder of its own below
# the one that is named: those of enmime (a Go module), of Python's e-mail package (a Debian package) and of kmime (a
# Debian source package). What is there already is not fetched again.
set -eu
[ $# -eq 1 ] || {
	echo "usage: fetch.sh FOLDER" >&2
	exit 2
}
mkdir -p "$1"
dir=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

apt() { apt-get -q -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@" >"$work/log" 2>&1; }
fail() {
	tail -n 20 "$work/log" >&2
	echo "fetch.sh: $1" >&2
	exit 1
}

# keep DIRECTORY COLLECTION: what has been fetched, all at once.
keep() {
	rm -rf "$dir/$2"
	mv "$1" "$dir/$2"
}

enmime() {
	cd "$here"
	go mod download github.com/jhillyerd/enmime/v2
	from=$(go list -m -f '{{.Dir}}' github.com/jhillyerd/enmime/v2)
	mkdir "$work/enmime"
	find "$from" -name '*.raw' | while read -r file; do
		cp "$file" "$work/enmime/$(basename "$(dirname "$file")")-$(basename "$file" .raw).eml"
	done
	chmod -R u+w "$work/enmime"
	keep "$work/enmime" enmime
}

python() {
	mkdir "$work/python" "$work/deb"
	cd "$work/deb"
	apt download libpython3.11-testsuite || { apt update && apt download libpython3.11-testsuite; } ||
		fail "libpython3.11-testsuite cannot be downloaded"
	dpkg-deb -x libpython3.11-testsuite_*.deb tree
	for file in tree/usr/lib/python3.11/test/test_email/data/msg_*.txt; do
		cp "$file" "$work/python/$(basename "$file" .txt).eml"
	done
	keep "$work/python" python
}

# sources prints the machine's own Debian repositories, as those of source packages.
sources() {
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$file" ] || awk -v RS= '/\/debian/ { gsub(/#[^\n]*\n/, ""); sub(/Types:[^\n]*/, "Types: deb-src"); print $0 "\n" }' "$file"
	done
}
oldSources() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n '/\/debian/s/^deb /deb-src /p'
}

kmime() {
	mkdir -p "$work/kmime" "$work/src" "$work/lists/partial" "$work/parts"
	sources >"$work/parts/all.sources"
	oldSources >"$work/parts/all.list"
	cd "$work/src"
	set -- -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/parts" -o "Dir::State::lists=$work/lists"
	apt "$@" update || true # some of the repositories may have no sources
	apt "$@" source --download-only kmime || fail "the source of kmime cannot be downloaded"
	tar -xJf kmime_*.orig.tar.xz
	find . -path '*/data/mails/*.mbox' | while read -r file; do
		cp "$file" "$work/kmime/$(basename "$file" .mbox).eml"
	done
	keep "$work/kmime" kmime
}

for collection in enmime python kmime; do
	[ -d "$dir/$collection" ] || $collection
done
