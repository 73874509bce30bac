-- What the demo runs with. For a server of your own begin with conf/posthorn.lua. `posthorn -c FILE config` shows
-- every option with its value.

hostname = "localhost"
data_directory = "@DATA@/store"
run_directory = "@DATA@/run"
module_directories = { "@MODULES@" }
modules = { "kv_lmdb", "store", "mime", "address", "auth", "delivery", "smtp", "imap", "pop3" }
domains = { "demo.test" }
workers = 2

tls = { certificate = "@DATA@/demo.crt", key = "@DATA@/demo.key" }

-- Edit this script while the demo runs: saving it takes effect for the next connection.
policy = { scripts = { "@SCRIPTS@/policy/demo.lua" }, library = "@SCRIPTS@" }

-- Logins without "@" mean users of demo.test.
auth = { default_domain = "demo.test" }
delivery = { postmaster = "alice@demo.test" }

-- Loopback only, which is why passwords may be sent in the clear. Where another program has a port, the rest is served.
listen = {
  { name = "smtp", protocol = "smtp", address = "127.0.0.1:@PORT:25@", tls = "starttls", plaintext_login = true, optional = true },
  { name = "submission", protocol = "submission", address = "127.0.0.1:@PORT:587@", tls = "starttls", plaintext_login = true, optional = true },
  { name = "submissions", protocol = "submission", address = "127.0.0.1:@PORT:465@", tls = "implicit", plaintext_login = true, optional = true },
  { name = "lmtp", protocol = "lmtp", address = "127.0.0.1:@PORT:24@", plaintext_login = true, optional = true },
  { name = "imap", protocol = "imap", address = "127.0.0.1:@PORT:143@", tls = "starttls", plaintext_login = true, optional = true },
  { name = "imaps", protocol = "imap", address = "127.0.0.1:@PORT:993@", tls = "implicit", plaintext_login = true, optional = true },
  { name = "pop3", protocol = "pop3", address = "127.0.0.1:@PORT:110@", tls = "starttls", plaintext_login = true, optional = true },
  { name = "pop3s", protocol = "pop3", address = "127.0.0.1:@PORT:995@", tls = "implicit", plaintext_login = true, optional = true },
}
