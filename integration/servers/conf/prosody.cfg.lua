-- Prosody 0.12 for a test world: loopback only, everything in one directory, no s2s.
daemonize = false
pidfile = "«.Dir»/data/prosody.pid"
certificates = "«.Dir»/data"
data_path = "«.Dir»/data"
log = { { levels = { min = "info" }, to = "file", filename = "«.Dir»/prosody.log" } }
interfaces = { "127.0.0.1" }
local_interfaces = { "127.0.0.1" }
network_backend = "epoll"
network_settings = { nagle = false } -- or an answer waits 20 to 30 ms for company
c2s_ports = { «.C2S» }
component_ports = { «.Component» }
component_interfaces = { "127.0.0.1" }
http_ports = { «.HTTP» }
https_ports = { }
s2s_ports = { }
legacy_ssl_ports = { }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
allow_registration = true

storage = { «if .Archive»archive = "sql"; offline = "sql"; «end»}
default_storage = "internal"
sql = { driver = "SQLite3", database = "prosody.sqlite" }
archive_expires_after = "1w"

component_conflict_resolve = "kick_old" -- a gateway must be able to replace its own half-dead connection
component_tcp_keepalives = true

modules_enabled = {
  "disco"; "roster"; "saslauth"; "blocklist"; "carbons"; "pep"; "private"; "smacks"; "vcard4"; "vcard_legacy";
  "ping"; "register"; "time"; "version"; "offline"; "admin_adhoc"; "posix"; "http"; "presence"; "message"; "iq";
 «if .Privileges» "privilege";«end»«if .Archive» "mam";«end»«if .TLS» "tls";«end»
}
modules_disabled = { "s2s"; "dialback"«if not .TLS»; "tls"«end» }
«- if .TLS»
ssl = { certificate = "«.Cert»"; key = "«.Key»" }
«- end»
«.Extra»

VirtualHost "«safe .Domain»"
«- if .Privileges»
  privileged_entities = {
«- range .Components»«if .Privileged»
    ["«safe .Domain»"] = {
      roster = "both"; message = "outgoing"; presence = "roster";
      iq = { ["http://jabber.org/protocol/pubsub"] = "both"; ["jabber:iq:private"] = "both"; ["urn:xmpp:http:upload:0"] = "get" };
    };
«- end»«end»
  }
«- end»
«- if .Components»
  disco_items = {
    { "upload.«safe .Domain»", "HTTP upload" }, { "rooms.«safe .Domain»", "Rooms" },
«- range .Components»
    { "«safe .Domain»", "«safe .Domain»" },
«- end»
  }
«- end»
«range .Components»
Component "«safe .Domain»"
  component_secret = "«safe .Secret»"
«- if $.Privileges»
  modules_enabled = { "privilege" } -- tells the component its privileges after the handshake
«- end»
«end»
Component "upload.«safe .Domain»" "http_file_share"
  http_host = "127.0.0.1"
  http_external_url = "http://127.0.0.1:«.HTTP»/"
  http_file_share_size_limit = 64*1024*1024
  http_file_share_expires_after = 86400
  http_file_share_access = { "«safe .Domain»"; «range .Components»"«safe .Domain»"; «end»} -- once set, it must name the host itself too

Component "rooms.«safe .Domain»" "muc"
  muc_room_locking = false
«- if .Archive»
  modules_enabled = { "muc_mam" }
«- end»
