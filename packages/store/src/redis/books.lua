-- Books. None of these keys expires: a book stays until it is deleted.
--   book:<tenant>:<id>        hash  the book: digest, facts, created, sequence, edition, control, fence, owner, lease (until
--                                   when), progress, outcome
--   book-edits:<tenant>:<id>  hash  sentence -> edit
--   books:<tenant>            zset  its books by sequence
--   books-open:<tenant>       set   those that have not ended
--   books-ready               zset  "<tenant>:<id>" of all that are to run and have no outcome, by the time from which they may
--                                   be claimed, in thousandths of a millisecond: the last three digits keep the order
--   books-count               how many turns were given
--   books-fence               how many claims there were: a book that is deleted and made again has no fence twice

local fields = { 'digest', 'facts', 'created', 'edition', 'control', 'fence', 'lease', 'progress', 'outcome' }

local function book_at(tenant, id)
  local b = { tenant = tenant, id = id, key = key('book', tenant, id), name = tenant .. ':' .. id }
  local values = redis.call('HMGET', b.key, unpack(fields))
  if not values[1] then return end
  for i, field in ipairs(fields) do b[field] = values[i] end
  b.edition, b.fence, b.lease = tonumber(b.edition), tonumber(b.fence), tonumber(b.lease)
  return b
end

local function leased(b)
  return b.lease > now
end

local function put(b, field, value)
  b[field] = value
  if value then redis.call('HSET', b.key, field, value) else redis.call('HDEL', b.key, field) end
end

local function turn_at(time)
  return string.format('%.0f', time * 1000 + redis.call('INCR', key('books-count')) % 1000)
end

-- In the line, or out of it.
local function place_book(b, delay)
  if b.control ~= 'run' or b.outcome then
    redis.call('ZREM', key('books-ready'), b.name)
  else
    redis.call('ZADD', key('books-ready'), turn_at(leased(b) and b.lease or now + delay), b.name)
  end
  local open = key('books-open', b.tenant)
  if b.outcome or b.control == 'cancel' then redis.call('SREM', open, b.id) else redis.call('SADD', open, b.id) end
end

local function shown(b)
  return { b.tenant, b.id, b.created, b.digest, b.facts, tostring(b.edition), b.control, tostring(b.fence),
    leased(b) and '1' or '0', b.progress or '', b.outcome or '' }
end

local function held(tenant, id, fence)
  local b = book_at(tenant, id)
  if b and b.fence == tonumber(fence) then return b end
end

calls['book-create'] = function(tenant, id, max_open, created, digest, facts)
  local known = book_at(tenant, id)
  if known then return { 'exists', unpack(shown(known)) } end
  if redis.call('SCARD', key('books-open', tenant)) >= tonumber(max_open) then return { 'over_limit' } end
  local sequence = redis.call('INCR', key('books-count'))
  redis.call('HSET', key('book', tenant, id), 'digest', digest, 'facts', facts, 'created', created, 'edition', 0, 'control', 'run',
    'fence', 0, 'lease', 0)
  redis.call('ZADD', key('books', tenant), sequence, id)
  local b = book_at(tenant, id)
  place_book(b, 0)
  return { 'created', unpack(shown(b)) }
end

calls['book-get'] = function(tenant, id)
  local b = book_at(tenant, id)
  return b and shown(b) or {}
end

calls['book-list'] = function(tenant, after, limit)
  local below = '+inf'
  if after ~= '' then
    local sequence = redis.call('ZSCORE', key('books', tenant), after)
    if not sequence then return {} end
    below = '(' .. sequence
  end
  local answer = {}
  for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', key('books', tenant), below, '-inf', 'LIMIT', 0, limit)) do
    local b = book_at(tenant, id)
    if b then answer[#answer + 1] = shown(b) end
  end
  return answer
end

calls['book-ahead'] = function(tenant, id)
  local name = tenant .. ':' .. id
  local score = tonumber(redis.call('ZSCORE', key('books-ready'), name) or 'inf')
  if score >= (now + 1) * 1000 then return -1 end
  return redis.call('ZRANK', key('books-ready'), name)
end

calls['book-control'] = function(tenant, id, control)
  local b = book_at(tenant, id)
  if not b then return {} end
  local refused = control == 'pause' and b.control == 'cancel'
  if not b.outcome and b.control ~= control and not refused then
    put(b, 'control', control)
    place_book(b, 0)
  end
  return shown(b)
end

-- Edits follow as sentence, edit, sentence, edit, ...
calls['book-revise'] = function(tenant, id, expected, digest, facts, ...)
  local b, edits = book_at(tenant, id), { ... }
  if not b then return {} end
  if b.edition ~= tonumber(expected) then return shown(b) end
  put(b, 'edition', b.edition + 1)
  put(b, 'outcome', false)
  put(b, 'progress', false)
  if b.control == 'cancel' then put(b, 'control', 'run') end
  if digest ~= '' then put(b, 'digest', digest) end
  if facts ~= '' then put(b, 'facts', facts) end
  for i = 1, #edits, 2 do
    if edits[i + 1] == '' then
      redis.call('HDEL', key('book-edits', tenant, id), edits[i])
    else
      redis.call('HSET', key('book-edits', tenant, id), edits[i], edits[i + 1])
    end
  end
  place_book(b, 0)
  return shown(b)
end

calls['book-edits'] = function(tenant, id)
  return redis.call('HGETALL', key('book-edits', tenant, id))
end

calls['book-delete'] = function(tenant, id)
  redis.call('ZREM', key('books', tenant), id)
  redis.call('SREM', key('books-open', tenant), id)
  redis.call('ZREM', key('books-ready'), tenant .. ':' .. id)
  redis.call('DEL', key('book-edits', tenant, id))
  return redis.call('DEL', key('book', tenant, id))
end

local function split(name)
  return string.match(name, '^([^:]*):(.*)$')
end

calls['book-claim'] = function(owner, lease_ms)
  local ready = key('books-ready')
  local load = {}
  local limit = string.format('%.0f', (now + 1) * 1000)
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', ready, limit, '+inf', 'LIMIT', 0, 1000)) do
    local tenant, id = split(name)
    local lease = tonumber(redis.call('HGET', key('book', tenant, id), 'lease') or '0')
    if lease > now then load[tenant] = (load[tenant] or 0) + 1 end
  end
  local best, least
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', ready, '-inf', '(' .. limit, 'LIMIT', 0, 100)) do
    local tenant, id = split(name)
    if redis.call('EXISTS', key('book', tenant, id)) == 0 then
      redis.call('ZREM', ready, name)
    elseif not least or (load[tenant] or 0) < least then
      best, least = { tenant, id }, load[tenant] or 0
    end
  end
  if not best then return {} end
  local b = book_at(best[1], best[2])
  put(b, 'fence', redis.call('INCR', key('books-fence')))
  put(b, 'owner', owner)
  put(b, 'lease', now + lease_ms)
  place_book(b, 0)
  return shown(b)
end

calls['book-renew'] = function(tenant, id, fence, lease_ms, progress)
  local b = held(tenant, id, fence)
  if not b then return {} end
  put(b, 'lease', now + lease_ms)
  if progress ~= '' and not b.outcome then put(b, 'progress', progress) end
  place_book(b, 0)
  return shown(b)
end

calls['book-release'] = function(tenant, id, fence, delay)
  local b = held(tenant, id, fence)
  if not b then return end
  put(b, 'lease', 0)
  place_book(b, tonumber(delay))
end

calls['book-settle'] = function(tenant, id, fence, edition, outcome)
  local b = held(tenant, id, fence)
  if not b or b.edition ~= tonumber(edition) or b.control ~= 'run' then return 0 end
  if b.outcome then return b.outcome == outcome and 1 or 0 end
  put(b, 'outcome', outcome)
  put(b, 'lease', 0)
  place_book(b, 0)
  return 1
end
