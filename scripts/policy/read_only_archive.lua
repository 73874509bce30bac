-- Mailboxes below Archive can be read but not changed, whichever client it is.

local posthorn = require "posthorn"

posthorn.on("imap.select", function(session, mailbox)
  if mailbox.name:match "^Archive/" then
    return posthorn.read_only()
  end
end)
