package stream

// Stanzas as servers send them, for tests, fuzz seeds and benchmarks.
const (
	chatStanza = `<message to='#chan%irc.example@irc.gw.example' from='alice@example.org/phone' type='chat' id='a1b2c3d4-e5f6'>` +
		`<body>Hello, how are you? It &amp; the rest &lt;3</body><request xmlns='urn:xmpp:receipts'/>` +
		`<origin-id xmlns='urn:xmpp:sid:0' id='a1b2c3d4-e5f6'/><active xmlns='http://jabber.org/protocol/chatstates'/></message>`
	groupStanza = `<message xmlns='jabber:client' to="room@irc.gw" from="bob@example.org/x" type="groupchat" xml:lang="de" id="7">` +
		`<body>Grüße 😀</body><stanza-id xmlns='urn:xmpp:sid:0' by='room@irc.gw' id='x'/></message>`
	iqStanza       = `<iq type='get' id='d1' to='gw.example.org' from='a@b/c'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
	presenceStanza = `<presence from='a@b/c' to='#x%y@z/nick'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>` +
		`<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://gajim.org' ver='x='/></presence>`
	forwardStanza = `<message from='example.org' to='gw.example.org'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>` +
		`<message xmlns='jabber:client' from='a@b' to='c@d' id='3'><body>inner</body></message></forwarded></privilege></message>`
)

// goodStanzas are well-formed in every way.
func goodStanzas() []string {
	return []string{
		chatStanza, groupStanza, iqStanza, presenceStanza, forwardStanza,
		`<message/>`,
		`<message ></message >`,
		"<message\n\tid\r\n= 'x'\r></message\n>",
		`<iq from='a@b' id='1' type='result'>text and no child</iq>`,
		`<iq from='a@b' id='1' type='get'>text first<ping xmlns='urn:xmpp:ping'/></iq>`,
		`<iq from='a@b' id='1' type='set'/>`,
		`<message from='😀@b/x'><body>♥</body></message>`,
		"<message from='\u2665@b/so\u00adft\u200d\ufb01\u00b2'><body>x</body></message>",
		"<message><body>a\r\nb\rc\nd&#13;&#10;e</body></message>",
		`<message><body>a<![CDATA[<b>&amp;]]]>]]&gt;</body></message>`,
		`<message><body><![CDATA[]]></body><![CDATA[ ]]></message>`,
		`<message><body>&#x1F600;&#128512;&#0000065;&quot;&apos;&gt;</body></message>`,
		`<a:message xmlns:a='jabber:client' a:id='1' id='2'><a:body/></a:message>`,
		`<message xmlns:x='urn:x' x:y='1' y='2' xml:lang='en'><x:z x:y='3'/></message>`,
		`<message><x xmlns='' a='b'><y xmlns='urn:y'/></x></message>`,
		`<message><x xmlns:xml='http://www.w3.org/XML/1998/namespace'/></message>`,
		`<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`,
		`<message><é-ß xmlns='urn:x'/></message>`,
		`<message id="it's" to='say "x" &lt; > y'/>`,
		"<message>\x7f\u0085\ufffd\ue000</message>",
	}
}

// badStanzas are wrong, yet delimited: the stream goes on behind them.
func badStanzas() map[string]string {
	return map[string]string{
		"comment":                   `<message from='a@b'><!-- x > <y> --></message>`,
		"instruction":               `<message from='a@b'><?php <x> ?></message>`,
		"undefined entity":          `<message from='a@b'><body>&nbsp;</body></message>`,
		"bare ampersand":            `<message from='a@b'><body>a & b</body></message>`,
		"ampersand at the end":      `<message from='a@b'><body>a&</body></message>`,
		"reference to STX":          `<message from='a@b'><body>&#2;</body></message>`,
		"reference to NUL":          `<message from='a@b'><body>&#0;</body></message>`,
		"reference to surrogate":    `<message from='a@b'><body>&#xD800;</body></message>`,
		"reference to U+FFFE":       `<message from='a@b'><body>&#xFFFE;</body></message>`,
		"reference beyond Unicode":  `<message from='a@b'><body>&#x110000;</body></message>`,
		"reference overflow":        `<message from='a@b'><body>&#99999999999999999999;</body></message>`,
		"reference without digits":  `<message from='a@b'><body>&#;&#x;</body></message>`,
		"reference with capital X":  `<message from='a@b'><body>&#X41;</body></message>`,
		"NUL":                       "<message from='a@b'><body>\x00</body></message>",
		"IRC bold":                  "<message from='a@b'><body>\x02bold</body></message>",
		"C0 in attribute":           "<message from='a@b' x='\x1f'/>",
		"C0 in CDATA":               "<message from='a@b'><![CDATA[\x03]]></message>",
		"C0 in name":                "<message from='a@b'><a\x03/></message>",
		"invalid UTF-8":             "<message from='a@b'><body>\xff</body></message>",
		"overlong UTF-8":            "<message from='a@b'><body>\xc0\xaf</body></message>",
		"CESU surrogate":            "<message from='a@b'><body>\xed\xa0\x80</body></message>",
		"U+FFFE":                    "<message from='a@b'><body>\ufffe</body></message>",
		"U+FFFF in attribute":       "<message from='a@b' x='\uffff'/>",
		"cut-off UTF-8":             "<message from='a@b'><body>\xf0\x9f</body></message>",
		"duplicate attribute":       `<message from='a@b' x='1' x='2'/>`,
		"duplicate by two prefixes": `<message from='a@b' xmlns:a='urn:x' xmlns:b='urn:x' a:y='1' b:y='2'/>`,
		"duplicate xmlns":           `<message from='a@b'><x xmlns='u' xmlns='v'/></message>`,
		"duplicate prefix":          `<message from='a@b'><x xmlns:a='u' xmlns:a='v'/></message>`,
		"empty prefix":              `<message from='a@b'><:m/></message>`,
		"empty local":               `<message from='a@b'><m:/></message>`,
		"two colons":                `<message from='a@b' xmlns:a='u'><a:b:c/></message>`,
		"empty prefix of attribute": `<message from='a@b' :x='1'/>`,
		"unbound prefix":            `<message from='a@b'><x:y/></message>`,
		"unbound attribute":         `<message from='a@b' x:y='1'/>`,
		"prefix out of scope":       `<message from='a@b'><a xmlns:p='u'/><p:b/></message>`,
		"undeclared again":          `<message from='a@b'><x xmlns:p=''/></message>`,
		"xml bound elsewhere":       `<message from='a@b'><x xmlns:xml='urn:x'/></message>`,
		"other bound to xml":        `<message from='a@b'><x xmlns:y='http://www.w3.org/XML/1998/namespace'/></message>`,
		"xmlns declared":            `<message from='a@b'><x xmlns:xmlns='urn:x'/></message>`,
		"xmlns bound":               `<message from='a@b'><x xmlns:y='http://www.w3.org/2000/xmlns/'/></message>`,
		"wrong nesting":             `<message from='a@b'><a><b></a></b></message>`,
		"wrong end tag":             `<message from='a@b'></iq>`,
		"end tag with attribute":    `<message from='a@b'></message x='1'>`,
		"end tag in capitals":       `<message from='a@b'></Message>`,
		"no quotes":                 `<message from='a@b' x=1></message>`,
		"no value":                  `<message from='a@b' x></message>`,
		"no space":                  `<message from='a@b'x='1'/>`,
		"< in attribute":            `<message from='a@b' x='<'/>`,
		"]]> in text":               `<message from='a@b'><body>]]></body></message>`,
		"digit first":               `<message from='a@b'><1x/></message>`,
		"no name":                   `<message from='a@b'>< a/></message>`,
		"empty tag":                 `<message from='a@b'><></></message>`,
		"bad name":                  "<message from='a@b'><a\u00d7b/></message>",
		"fifth edition name":        "<message from='a@b'><\U00010000/></message>",
	}
}
