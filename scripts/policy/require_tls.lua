-- Nobody logs in, and no other server hands in mail, without encryption; this machine itself is excepted.

local posthorn = require "posthorn"

-- A Unix socket has no address.
local function is_here(session)
  return session.ip == nil or session.ip == "127.0.0.1" or session.ip == "::1"
end

posthorn.on("auth.verify", function(session)
  if not session.tls and not is_here(session) then
    return posthorn.reject("encryption is required to log in")
  end
end)

posthorn.on("smtp.mail", function(session)
  if not session.tls and not is_here(session) then
    return posthorn.reject(530, "5.7.0", "encryption is required: use STARTTLS")
  end
end)
