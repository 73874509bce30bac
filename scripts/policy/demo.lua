-- The policy of the demo. Change something and save: the next connection obeys, and the log says "policy changed". When
-- there is a mistake in it, the log says where, and the server goes on with the last one that was good.
--
-- A policy hooks functions into what clients do. A function returns a verdict, or nothing, which means: not my business.
-- `posthorn hooks` lists all hooks, what they get, and what they may answer.

local posthorn = require "posthorn"

-- Nobody has an address that begins with "nobody-": try
--     swaks --server 127.0.0.1:2025 --to nobody-home@demo.test
posthorn.on("smtp.rcpt", function(session, rcpt)
  if rcpt.user:match "^nobody%-" then
    return posthorn.reject(550, "5.1.1", "There is nobody of that name; the policy says so")
  end
end)

-- Mail for news-ANYTHING goes to Alice's mailbox News/ANYTHING, which is made when it is needed.
posthorn.on("smtp.rcpt", function(session, rcpt)
  local topic = rcpt.user:match "^news%-(%w+)$"
  if topic and rcpt.domain == "demo.test" then
    return posthorn.route { to = "alice@demo.test", mailbox = "News/" .. topic }
  end
end)

-- What says "urgent" in its subject gets a header that mail clients show as important.
posthorn.on("smtp.message", function(session, message, envelope)
  if (message.subject or ""):lower():find("urgent", 1, true) then
    return posthorn.accept { add_header = "Importance: high" }
  end
end)

-- Something to begin with: take the dashes away.
--
-- posthorn.on("smtp.rcpt", function(session, rcpt)
--   if rcpt.user == "sales" then
--     return posthorn.route { to = { "alice@demo.test", "bob@demo.test" }, mailbox = "Sales" }
--   end
-- end)
--
-- posthorn.on("imap.select", function(session, mailbox)
--   if mailbox.name:match "^News/" then
--     return posthorn.read_only()
--   end
-- end)
