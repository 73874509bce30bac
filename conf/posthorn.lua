-- The configuration of a Posthorn mail server.
--
-- This is Lua without any library: names, texts, numbers, tables. Only what differs from the defaults must stand here;
-- `posthorn config` prints every option there is, with its meaning and the value in use. After a change:
--
--     posthorn check      tells whether all is well, without touching the running server
--     posthorn reload     lets the running server use it; connections are not cut
--
-- Times are written as seconds or as "250ms", "30s", "5m", "12h", "7d"; sizes as bytes or as "64K", "50M", "1G".
-- Relative paths begin at the folder of this file.

-- This host's full name: it greets with it and writes it into trace lines. DNS must know it, forwards and backwards.
hostname = "mail.example.org"

-- The domains whose mail is kept here. Those of the accounts need not be named.
domains = { "example.org" }

-- Accounts are made with `posthorn account add alice@example.org`.

-- Where all mail lies. Back this folder up.
data_directory = "/var/lib/posthorn"

-- Where the control socket lies, by which `posthorn reload` and others speak with the server.
run_directory = "/run/posthorn"

-- Started as root, the server takes its ports and keys and then runs as this user.
user = "posthorn"

-- Workers: one for each processor unless a number is given.
-- workers = 4

-- What is loaded. A protocol that is not in use is best left out: what is not loaded cannot be attacked.
modules = { "kv_lmdb", "store", "mime", "address", "auth", "delivery", "smtp", "imap", "pop3" }

-- The certificate with its chain, and its key. Both are read again when they change. Further certificates, for clients
-- that ask for another name, lie as NAME.crt and NAME.key in `directory`.
tls = {
  certificate = "/etc/posthorn/tls/mail.example.org.crt",
  key = "/etc/posthorn/tls/mail.example.org.key",
  -- directory = "/etc/posthorn/tls/names",
  -- minimum_version = "1.3",
}

-- Where connections come in: "IP:PORT", "[IPv6]:PORT", "PORT" for all addresses, or "unix:/PATH". tls is "none",
-- "starttls" (the client may switch it on) or "implicit" (it comes first). Passwords are taken only once TLS is on.
listen = {
  { name = "smtp", protocol = "smtp", address = "25", tls = "starttls" },
  { name = "submissions", protocol = "submission", address = "465", tls = "implicit" },
  { name = "submission", protocol = "submission", address = "587", tls = "starttls" },
  { name = "imaps", protocol = "imap", address = "993", tls = "implicit" },
  { name = "imap", protocol = "imap", address = "143", tls = "starttls" },
  { name = "pop3s", protocol = "pop3", address = "995", tls = "implicit" },
  -- { name = "pop3", protocol = "pop3", address = "110", tls = "starttls" },

  -- For another mail server on this machine that hands over what it accepted:
  -- { name = "lmtp", protocol = "lmtp", address = "unix:/run/posthorn/lmtp" },

  -- Behind a load balancer that sends PROXY headers:
  -- { name = "imaps", protocol = "imap", address = "10993", tls = "implicit",
  --   proxy = true, proxy_from = { "10.0.0.0/24" } },
}

-- Scripts that have their say at each step; `posthorn hooks` lists the places where they are asked. They run in this
-- order. A changed script is used for the next connection; one with a mistake is reported, and the old one stays.
policy = {
  scripts = {
    -- "policy/recipients.lua",
  },
  -- What one call may use up before it counts as failed: see `posthorn config`.
  -- timeout = "30s", burst = "250ms", instructions = 10000000, call_memory = "16M",
}

-- Logins.
auth = {
  -- For users who log in without "@...".
  -- default_domain = "example.org",
  min_password = 10,
}

-- Where mail for local addresses goes.
delivery = {
  -- Every domain must accept mail for its postmaster.
  postmaster = "postmaster@example.org",
  aliases = {
    -- ["info@example.org"] = { "alice@example.org", "bob@example.org" },
    -- ["@example.org"] = "alice@example.org",        -- all that is nobody else's
  },
  -- alice+lists@example.org is alice; with mailbox_by_detail it goes to her mailbox "lists", if there is one.
  -- separator = "+", mailbox_by_detail = true,
}

-- Bounds of what one client may ask for; the defaults suit most.
smtp = {
  max_message_size = "50M",
}

-- The log: "debug", "info", "warn" or "error"; format "logfmt" or "json"; to stderr unless a file is named.
log = {
  level = "info",
  -- format = "json",
  -- file = "/var/log/posthorn.log",
}
