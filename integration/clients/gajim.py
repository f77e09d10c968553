#!/usr/bin/python3
"""A person with Gajim: looks for transports and registers with one, by form.

Reads its settings as JSON on stdin, starts Xvfb and Gajim, does what a person does through Gajim's D-Bus actions and its
accessibility tree, and writes a line of JSON for each step into the file that they name. Runs as any user but root, whom Gajim refuses, and within
dbus-run-session, whose bus it shares with Gajim.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

ACCOUNT = "test"
DEADLINE = 120  # seconds, for whatever is awaited: the machine may be busy
VISIBLE = Atspi.StateType.SHOWING


def configure(root, conf):
    """Gajim's own settings file, with one account that connects by itself, and the server's certificate as trusted."""
    trusted = root / "cert_store"
    trusted.mkdir(parents=True)
    shutil.copy(conf["cert"], trusted / "server")
    db = sqlite3.connect(root / "settings.sqlite")
    db.executescript("""
        CREATE TABLE settings (name TEXT UNIQUE, settings TEXT);
        CREATE TABLE account_settings (account TEXT UNIQUE, settings TEXT);
        PRAGMA user_version=5;
    """)
    workspace = {"test": {"name": "Test", "color": "#0f0f0f", "avatar_sha": None, "chats": []}}
    settings = {
        "app": {"use_keyring": False, "check_for_update": False, "confirm_on_window_delete": False, "is_window_visible": True},
        "soundevents": {}, "status_presets": {}, "proxies": {}, "plugins": {}, "workspaces": workspace,
    }
    for name, value in settings.items():
        db.execute("INSERT INTO settings VALUES (?, ?)", (name, json.dumps(value)))
    account = {
        "name": conf["user"], "hostname": conf["domain"], "address": f"{conf['user']}@{conf['domain']}",
        "password": conf["password"], "savepass": True, "active": True, "autoconnect": True, "account_label": ACCOUNT,
        "use_custom_host": True, "custom_host": conf["host"], "custom_port": conf["port"], "custom_type": "START TLS",
    }
    db.execute("INSERT INTO account_settings VALUES (?, ?)", (ACCOUNT, json.dumps({"account": account, "contact": {}, "group_chat": {}})))
    db.commit()
    db.close()


def until(what, look):
    """What look finds, once it finds anything. Widgets come and go while they are looked at: that is no failure."""
    deadline = time.monotonic() + DEADLINE
    problem = None
    while time.monotonic() < deadline:
        try:
            found = look()
            if found:
                return found
        except GLib.Error as e:
            problem = e
        time.sleep(0.2)
    raise RuntimeError(f"{what}: not in time ({problem})")


def walk(node, depth=0):
    """The node and all below it, as far as they are there when they are looked at."""
    yield node
    if depth > 40:
        return
    for i in range(node.get_child_count()):
        try:
            child = node.get_child_at_index(i)
        except GLib.Error:
            continue
        if child is not None:
            yield from walk(child, depth + 1)


def gajim():
    desktop = Atspi.get_desktop(0)
    for i in range(desktop.get_child_count()):
        app = desktop.get_child_at_index(i)
        if app is not None and "gajim" in (app.get_name() or "").lower():
            return app
    return None


def widgets():
    app = gajim()
    return list(walk(app)) if app is not None else []


def named(name, roles=(), contains=False):
    for w in widgets():
        text = w.get_name() or ""
        if (name in text if contains else name == text) and (not roles or w.get_role_name() in roles):
            return w
    return None


def press(name, window):
    """Presses the button of a window, whose title starts so, once it can be pressed."""
    def button():
        frame = next((w for w in widgets() if w.get_role_name() == "frame" and w.get_name().startswith(window)), None)
        for w in walk(frame) if frame is not None else ():
            states = w.get_state_set()
            if w.get_name() == name and w.get_role_name() == "push button" and \
                    states.contains(Atspi.StateType.SENSITIVE) and states.contains(VISIBLE):
                return w
        return None
    until(f"a button {name!r}", button).get_action_iface().do_action(0)


def activate(action, parameter):
    """Gajim's own action, as its menus call it."""
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)

    def call():
        bus.call_sync(
            "org.gajim.Gajim", "/org/gajim/Gajim", "org.gtk.Actions", "Activate",
            GLib.Variant("(sava{sv})", (action, [parameter], {})), None, Gio.DBusCallFlags.NO_AUTO_START, 20000)
        return True

    def enabled():
        answer = bus.call_sync(
            "org.gajim.Gajim", "/org/gajim/Gajim", "org.gtk.Actions", "Describe", GLib.Variant("(s)", (action,)),
            None, Gio.DBusCallFlags.NO_AUTO_START, 20000)
        return answer.unpack()[0][0]
    until(f"action {action}", enabled)
    until(f"action {action}", call)


def texts():
    """Everything that can be read."""
    return [w.get_name() for w in widgets() if w.get_name()]


def transports(conf):
    """The service discovery of the own server, as its window shows it."""
    activate(f"{ACCOUNT}-services", GLib.Variant("s", ACCOUNT))
    until("the group of transports", lambda: named("Transports", roles=("table cell",)))
    until("the gateways", lambda: all(named(g, roles=("table cell",), contains=True) for g in conf["gateways"]))
    return {"found": [w.get_name() for w in widgets() if w.get_role_name() == "table cell"]}


def register(conf):
    """The form of the transport, submitted as proposed."""
    row = until("the row", lambda: named(conf["name"], roles=("table cell",), contains=True))
    row.get_component_iface().grab_focus()
    press("Register", "Browsing")
    until("the form", lambda: named(conf["label"], contains=True))
    form = texts()
    press("Register", "Register")
    until("the end of the registration", lambda: named("Registration successful", contains=True))
    return {"form": form}


def main():
    conf = json.load(sys.stdin)
    root = Path(os.environ["HOME"]) / "gajim"
    configure(root, conf)
    subprocess.run(["gsettings", "set", "org.gnome.desktop.interface", "toolkit-accessibility", "true"], check=False)
    read, write = os.pipe()
    xvfb = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], pass_fds=[write],
        stdout=sys.stderr)
    os.close(write)
    os.environ["DISPLAY"] = ":" + os.fdopen(read).readline().strip()
    client = subprocess.Popen(["gajim", "-c", str(root), "--loglevel", "gajim=INFO"], stdout=sys.stderr)
    try:
        for step in (transports, register):
            result = {"step": step.__name__}
            try:
                result.update(step(conf))
            except Exception as e:  # the Go side shows it
                result["error"] = repr(e)
                result["screen"] = [f"{w.get_role_name()}: {w.get_name()}" for w in widgets() if w.get_name()]
            with open(conf["out"], "a") as out:
                out.write(json.dumps(result) + "\n")
    finally:
        for process in (client, xvfb):
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
