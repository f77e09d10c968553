#!/usr/bin/python3
"""An independent client: what slixmpp makes of the gateways.

Plays the steps that it is given as JSON on stdin, in order, and prints one line of JSON for each:
{"step": name, ...} with what came of it, or {"step": name, "error": text}. The Go test that runs it judges.
"""
import asyncio
import json
import logging
import sys
from pathlib import Path

import aiohttp
from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout, PresenceError

PLUGINS = [
    "xep_0004", "xep_0030", "xep_0045", "xep_0050", "xep_0054", "xep_0060", "xep_0066", "xep_0077", "xep_0084", "xep_0115", "xep_0184", "xep_0199",
    "xep_0308", "xep_0313", "xep_0333", "xep_0359", "xep_0363",
]
out = sys.stdout
sys.stdout = sys.stderr  # slixmpp 1.8 prints as it joins


class Client(ClientXMPP):
    def __init__(self, conf):
        super().__init__(conf["jid"], conf["password"])
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self.ca_certs = conf["ca"]
        self.seen = []  # stanzas that came, until a step takes them
        self.news = asyncio.Event()
        for event in ("message", "message_error", "receipt_received", "groupchat_message", "presence"):
            self.add_event_handler(event, self.note)
        self.add_event_handler("session_start", self.began)
        self.started = asyncio.Event()

    def note(self, stanza):
        self.seen.append(stanza)
        self.news.set()

    async def began(self, _):
        await self.get_roster()
        self.send_presence()
        self.started.set()

    async def wait(self, match, timeout=60):
        """The first stanza that matches, come or still to come."""
        async def look():
            while True:
                for stanza in self.seen:
                    if match(stanza):
                        self.seen.remove(stanza)
                        return stanza
                self.news.clear()
                await self.news.wait()
        return await asyncio.wait_for(look(), timeout)

    def fill(self, form, answers):
        """The form as a person submits it: the given answers, the proposals for the rest."""
        fields = form.get_fields()
        for name, value in answers.items():
            if name in fields:
                form.field[name]["value"] = value
        form["type"] = "submit"
        return form

    async def discover(self, domain):
        items = await self["xep_0030"].get_items(jid=domain)
        found = {}
        for jid, _, _ in items["disco_items"]["items"]:
            info = (await self["xep_0030"].get_info(jid=jid))["disco_info"]
            found[jid] = {
                "identities": sorted(f"{i[0]}/{i[1]}" for i in info["identities"]),
                "features": sorted(info["features"]),
            }
        return {"found": found}

    async def commands(self, jid):
        items = await self["xep_0050"].get_commands(jid)
        return {"nodes": [node for _, node, _ in items["disco_items"]["items"]]}

    async def command(self, jid, node, answers=None):
        adhoc = self["xep_0050"]
        answer = await adhoc.send_command(jid, node)
        forms = 0
        while answer["command"]["status"] == "executing" and forms < 9:
            forms += 1
            form = self.fill(answer["command"]["form"], answers or {})
            action = "complete" if "complete" in answer["command"]["actions"] else "next"
            answer = await adhoc.send_command(
                jid, node, action=action, payload=form, sessionid=answer["command"]["sessionid"])
        notes = [text for _, text in answer["command"]["notes"]]
        form = answer["command"].get_plugin("form", check=True)
        text = form["instructions"] if form is not None else ""
        return {"status": answer["command"]["status"], "forms": forms, "text": "\n".join(notes + [str(text or "")])}

    async def register(self, jid, answers):
        got = await self["xep_0077"].get_registration(jid)
        before = got["register"]["registered"]
        form = self.fill(got["register"]["form"], answers)
        iq = self.make_iq_set(ito=jid)
        iq.enable("register")
        iq["register"].append(form)
        await iq.send()
        again = await self["xep_0077"].get_registration(jid)
        return {"before": before, "after": again["register"]["registered"]}

    async def unregister(self, jid):
        await self["xep_0077"].cancel_registration(jid)
        again = await self["xep_0077"].get_registration(jid)
        return {"after": again["register"]["registered"]}

    async def prompt(self, jid, text):
        """jabber:iq:gateway, which slixmpp has no plugin for."""
        from xml.etree.ElementTree import Element, SubElement
        ns = "{jabber:iq:gateway}"
        iq = self.make_iq_get(ito=jid)
        iq.append(Element(ns + "query"))
        question = (await iq.send()).xml.find(f"{ns}query/{ns}prompt").text
        iq = self.make_iq_set(ito=jid)
        query = Element(ns + "query")
        SubElement(query, ns + "prompt").text = text
        iq.append(query)
        answer = await iq.send()
        return {"prompt": question, "jid": answer.xml.find(f"{ns}query/{ns}jid").text}

    async def add(self, jid):
        self.send_presence_subscription(pto=jid, ptype="subscribe")
        presence = await self.wait(lambda s: s.name == "presence" and s["from"].bare == jid and s["type"] == "available")
        roster = await self.get_roster()
        return {
            "resource": presence["from"].resource,
            "subscription": roster["roster"]["items"][jid]["subscription"] if jid in roster["roster"]["items"] else "",
        }

    async def say(self, to, body, replaces=None):
        message = self.make_message(mto=to, mbody=body, mtype="chat")
        message["request_receipt"] = True
        if replaces:
            message["replace"]["id"] = replaces
        message.send()
        answer = await self.wait(lambda s: s.name == "message" and (
            s["receipt"] == message["id"] or s["type"] == "error" and s["id"] == message["id"]))
        if answer["type"] == "error":
            return {"id": message["id"], "refused": answer["error"]["condition"], "text": answer["error"]["text"]}
        return {"id": message["id"], "receipt": True}

    async def hear(self, jid):
        message = await self.wait(lambda s: s.name == "message" and s["from"].bare == jid and s["body"])
        return {"body": message["body"], "type": message["type"]}

    async def join(self, room, nick):
        own, subject, occupants, _ = await self["xep_0045"].join_muc_wait(room, nick, timeout=60)
        return {
            "nick": own["from"].resource, "codes": sorted(own["muc"]["status_codes"]), "subject": subject["subject"],
            "occupants": sorted(o["from"].resource for o in occupants),
        }

    async def shout(self, room, body):
        message = self.make_message(mto=room, mbody=body, mtype="groupchat")
        message.send()
        back = await self.wait(lambda s: s.name == "message" and s["from"].bare == room and s["body"] == body)
        return {"same_id": back["id"] == message["id"], "stanza_id": back["stanza_id"]["id"], "nick": back["from"].resource}

    async def archive(self, room, page=50, backwards=False):
        """All of it, in pages of that many, from the beginning or from the end."""
        found = []
        async for result in self["xep_0313"].iterate(jid=room, rsm={"max": page}, reverse=backwards, total=200):
            forwarded = result["mam_result"]["forwarded"]["stanza"]
            found.append({"id": result["mam_result"]["id"], "body": forwarded["body"], "from": forwarded["from"].full})
        return {"messages": found}

    async def card(self, jid):
        """What a client shows of a contact: its vCard-temp, and its avatar if one is announced."""
        card = (await self["xep_0054"].get_vcard(jid=jid)).xml.find("{vcard-temp}vCard")
        try:
            items = (await self["xep_0060"].get_items(jid, "urn:xmpp:avatar:metadata"))["pubsub"]["items"]
            avatars = [item["id"] for item in items]
        except IqError as e:
            avatars = [e.condition]
        return {
            "name": card.findtext("{vcard-temp}FN"), "text": [e.text for e in card if e.tag in ("{vcard-temp}NOTE", "{vcard-temp}DESC")],
            "avatars": avatars,
        }

    async def upload(self, path, to):
        """slixmpp 1.8 does not find the service on Python 3.11 by itself: it hands coroutines to asyncio.wait."""
        ns = "urn:xmpp:http:upload:0"
        found = (await self.discover(self.boundjid.domain))["found"]
        service = next(jid for jid, info in found.items() if ns in info["features"])
        content = Path(path).read_bytes()
        answer = await self["xep_0363"].request_slot(service, Path(path).name, len(content), "text/plain")
        slot = answer["http_upload_slot"]
        headers = {"Content-Type": "text/plain"}
        headers.update({h["name"]: h["value"] for h in slot["put"]["headers"]})
        async with aiohttp.ClientSession() as session:
            async with session.put(slot["put"]["url"], data=content, headers=headers) as response:
                response.raise_for_status()
        url = slot["get"]["url"]
        message = self.make_message(mto=to, mbody=url, mtype="chat")
        message["oob"]["url"] = url
        message["request_receipt"] = True
        message.send()
        answer = await self.wait(lambda s: s.name == "message" and (
            s["receipt"] == message["id"] or s["type"] == "error" and s["id"] == message["id"]))
        return {"url": url, "refused": answer["error"]["text"] if answer["type"] == "error" else ""}


async def play(client, steps):
    await asyncio.wait_for(client.started.wait(), 60)
    for step in steps:
        name, args = step["step"], {k: v for k, v in step.items() if k != "step"}
        result = {"step": name}
        try:
            result.update(await getattr(client, name)(**args))
        except (IqError, PresenceError) as e:
            result["error"] = f"{e.condition}: {e.text}"
        except (IqTimeout, asyncio.TimeoutError):
            result["error"] = "no answer in time"
        except Exception as e:  # the Go side shows it
            result["error"] = repr(e)
        print(json.dumps(result), file=out, flush=True)
    await client.disconnect()


def main():
    conf = json.load(sys.stdin)
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    client = Client(conf)
    client.connect((conf["host"], conf["port"]))
    client.loop.run_until_complete(play(client, conf["steps"]))


if __name__ == "__main__":
    main()
