-- Mail for user+Folder goes to the user's mailbox Folder if there is a plain word behind the plus sign, and is refused
-- when there is something else. Mailboxes are made when they are needed.

local posthorn = require "posthorn"

posthorn.on("smtp.rcpt", function(session, rcpt)
  if not rcpt.detail or rcpt.known ~= "yes" then
    return
  end
  if not rcpt.detail:match "^%w[%w_-]*$" or #rcpt.detail > 40 then
    return posthorn.reject(550, "5.1.1", "no such sub-address")
  end
  return posthorn.route { mailbox = rcpt.detail }
end)
