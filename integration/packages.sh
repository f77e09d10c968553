#!/bin/sh
# Installs, on Debian 12 and as root, what the integration tests and the demo need and this machine lacks.
#
#   packages.sh              everything
#   packages.sh PACKAGE...   only these
#
# Says nothing when nothing is missing. No service that comes with a package is started: the tests start their own.
set -eu

all="prosody prosody-modules lua-sec lua-dbi-sqlite3 ejabberd erlang-p1-sqlite3 ngircd inspircd ircd-hybrid biboumi
	atheme-services znc iproute2
	postfix dovecot-imapd dovecot-lmtpd swaks nodejs npm make gcc libc6-dev xz-utils
	exim4-daemon-light libgnutls-dane0 libidn12 postgrey opendkim opendmarc dbconfig-no-thanks mutt
	profanity tmux python3-slixmpp python3-aiohttp
	gajim xvfb dbus dbus-x11 at-spi2-core dconf-gsettings-backend libglib2.0-bin gir1.2-atspi-2.0 python3-gi xdotool"

# The packages of two IRC servers conflict, and those of two mail servers: one of each is unpacked here, and not
# installed. ircd-hybrid looks for its modules where they would be installed; Exim does not start without its user.
unpacked=/usr/local/lib/gangway-test
hybrid_modules=/usr/lib/ircd-hybrid/modules
exim_user=Debian-exim

die() {
	echo "packages.sh: $*" >&2
	exit 1
}

# missing prints those of its arguments that are not installed. Node.js may well come from elsewhere than Debian, whose
# packages would then get in its way: what is on PATH counts.
missing() {
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
	for package in "$@"; do
		case $package in
		nodejs) ! command -v node >/dev/null || continue ;;
		npm) ! command -v npm >/dev/null || continue ;;
		ircd-hybrid)
			[ -e "$unpacked/$package/complete" ] && [ -e "$hybrid_modules" ] || printf '%s ' "$package"
			continue
			;;
		exim4-daemon-light)
			[ -e "$unpacked/$package/complete" ] && getent passwd "$exim_user" >/dev/null || printf '%s ' "$package"
			continue
			;;
		esac
		case "
$installed
" in
		*"
$package installed
"*) ;;
		*) printf '%s ' "$package" ;;
		esac
	done
}

command -v dpkg-query >/dev/null || die "this machine has no dpkg: the tests and the demo need Debian 12"
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $all
need=$(missing "$@")
[ -n "$need" ] || exit 0
[ "$(id -u)" -eq 0 ] || die "run me as root to install: $need"

policy=/usr/sbin/policy-rc.d
saved=$policy.before-gangway
mark='# written by packages.sh for as long as it runs'
log=$(mktemp)

# restore puts back the machine's own policy, or none. It also tidies up after a run that was killed: a policy with our
# mark is never anybody's own.
restore() {
	if grep -qsF "$mark" "$policy"; then
		rm -f "$policy"
	fi
	if [ -e "$saved" ] || [ -L "$saved" ]; then
		mv -f "$saved" "$policy"
	fi
}

finish() {
	restore
	rm -f "$log"
}

# Two runs at once would restore each other's policy.
mkdir -p /run/lock
exec 9>/run/lock/gangway-packages.lock
flock 9
need=$(missing "$@")
if [ -z "$need" ]; then
	rm -f "$log"
	exit 0
fi

trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
restore
if [ -e "$policy" ] || [ -L "$policy" ]; then
	mv "$policy" "$saved"
fi
printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy" # 101: action forbidden by policy
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
apt() {
	apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" >>"$log" 2>&1 9>&-
}
fail() {
	tail -n 25 "$log" >&2
	die "$1"
}

echo "installing: $need" >&2
case " $need" in
*" postfix "*) # a system Postfix that sends nothing anywhere, should somebody ever start it
	echo "postfix postfix/main_mailer_type select Local only" | debconf-set-selections >>"$log" 2>&1 || true
	;;
esac
# Without a network the lists may still be good, and the packages in the cache.
apt update || echo "packages.sh: apt-get update failed; trying with the lists there are" >&2
install() {
	[ $# -eq 0 ] || apt install --no-install-recommends "$@" || fail "apt-get could not install: $*"
}
unpack() {
	dir=$(mktemp -d)
	(cd "$dir" && apt-get -q -o Acquire::Retries=3 download "$1" >>"$log" 2>&1) || fail "apt-get could not download: $1"
	mkdir -p "$unpacked/$1"
	dpkg-deb -x "$dir/$1"_*.deb "$unpacked/$1" >>"$log" 2>&1 || fail "cannot be unpacked: $1"
	rm -rf "$dir"
	case $1 in
	ircd-hybrid) [ -e "$hybrid_modules" ] || ln -sfn "$unpacked/$1/usr/lib/$1" "${hybrid_modules%/modules}" ;;
	exim4-daemon-light)
		chmod u-s "$unpacked/$1/usr/sbin/exim4"
		getent passwd "$exim_user" >/dev/null ||
			useradd --system --user-group --home-dir /var/spool/exim4 --no-create-home --shell /usr/sbin/nologin "$exim_user" \
				>>"$log" 2>&1 || fail "no user could be made for $1"
		;;
	esac
	touch "$unpacked/$1/complete"
}
usual=
unusual=
for package in $need; do
	case $package in
	ircd-hybrid | exim4-daemon-light) unusual="$unusual $package" ;;
	*) usual="$usual $package" ;;
	esac
done
# shellcheck disable=SC2086 # a list of words
install $usual
for package in $unusual; do
	unpack "$package"
done

left=$(missing "$@")
[ -z "$left" ] || fail "still missing: $left"
