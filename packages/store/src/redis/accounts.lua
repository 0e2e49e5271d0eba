-- Stands before every script: the keys, the clock, and what an utterance has in the shared counts.
--
-- All keys begin with the prefix KEYS[1], whose hash tag keeps them in one slot.
--   u:<id>                        hash  the utterance and its numbers
--   s:<id>                        list  its segments, each "<cost> <json>"; the cost is milliseconds of audio
--   t:<id>                        list  the pieces of its text, if it arrives in pieces: what follows each, and JSON
--   f:<id>                        hash  segment -> "<generation> <cost>"; in flight: released, not finished
--   p:<id>                        hash  segment -> "<generation> <outcome>"; finished. A released segment is in f or in p
--   deadlines                     zset  utterance by the time when it is forgotten
--   open:<tenant>                 zset  its utterances neither finished nor cancelled, by the same time
--   tenants:<pool>:<lane>         zset  tenants with a turn, by what they were given: audio divided by weight
--   idle:<pool>:<lane>            zset  those of them with nothing in flight there, by the same
--   turns:<pool>:<lane>:<tenant>  zset  the utterances whose next sentence may be released, by turn
--   holds:<pool>                  zset  utterances that are cancelled unless somebody holds them, by until when one does
--   flight:<pool>                 zset  "<id>:<segment>" in flight, by the time when it was handed out
--   lexicons:<tenant>             hash  name -> text; see lexicons.lua
--   load:<pool>                   hash  n:<lane> and n:<lane>:<tenant>, how many are in flight; given:<lane>:<tenant>;
--                                       given:<lane>, what the tenant that was next last had been given, where others
--                                       start; owed:<class>, audio not finished; turn, how many turns there were
--
-- Utterances past their deadline are taken out of the counts by `reap`. Expiry by Redis comes later and is only for what
-- nobody is there to reap: first (two ttl) for what is shared, then (three ttl) for utterances.
local prefix, ttl, now = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function key(...)
  return prefix .. table.concat({ ... }, ':')
end

local function lane_of(class, segment)
  return class == 'bulk' and 'bulk' or segment < 2 and 'head' or 'listener'
end

local texts = { 'record', 'tenant', 'class', 'pool' }
local numbers = { 'weight', 'window', 'segments', 'sealed', 'released', 'consumed', 'finished', 'failed', 'owed', 'cancelled',
  'expiring', 'length', 'pieces', 'flushed', 'complete', 'idle', 'transient', 'attended' }

local function read(id)
  local u = { id = id }
  local values = redis.call('HMGET', key('u', id), unpack(texts))
  if not values[1] then return end
  for i, field in ipairs(texts) do u[field] = values[i] end
  values = redis.call('HMGET', key('u', id), unpack(numbers))
  for i, field in ipairs(numbers) do u[field] = tonumber(values[i]) or 0 end
  return u
end

local function set(u, field, value)
  u[field] = value
  redis.call('HSET', key('u', u.id), field, value)
end

-- Counts that are zero leave nothing behind.
local function count(pool, field, by)
  local value = redis.call('HINCRBY', key('load', pool), field, by)
  if value == 0 then redis.call('HDEL', key('load', pool), field) end
  return value
end

local function cost_of(item)
  return tonumber(string.match(item, '^%d+'))
end

local function segment_at(u, segment)
  return redis.call('LINDEX', key('s', u.id), segment)
end

-- Gives the utterance a turn if it may release something and has none.
local function place(u)
  if u.cancelled == 1 or u.released >= u.segments or u.released - u.consumed >= u.window then return end
  local lane, load = lane_of(u.class, u.released), key('load', u.pool)
  local turns = key('turns', u.pool, lane, u.tenant)
  if redis.call('ZSCORE', turns, u.id) then return end
  redis.call('ZADD', turns, redis.call('HINCRBY', load, 'turn', 1), u.id)
  local known = redis.call('HMGET', load, 'given:' .. lane, 'given:' .. lane .. ':' .. u.tenant, 'n:' .. lane .. ':' .. u.tenant)
  local given = math.max(tonumber(known[1] or 0), tonumber(known[2] or 0))
  redis.call('HSET', load, 'given:' .. lane .. ':' .. u.tenant, given)
  redis.call('ZADD', key('tenants', u.pool, lane), given, u.tenant)
  if not known[3] then redis.call('ZADD', key('idle', u.pool, lane), given, u.tenant) end
end

local function displace(u)
  local lane, load = lane_of(u.class, u.released), key('load', u.pool)
  local turns = key('turns', u.pool, lane, u.tenant)
  redis.call('ZREM', turns, u.id)
  if redis.call('EXISTS', turns) == 1 then return end
  redis.call('ZREM', key('tenants', u.pool, lane), u.tenant)
  redis.call('ZREM', key('idle', u.pool, lane), u.tenant)
  if redis.call('HEXISTS', load, 'n:' .. lane .. ':' .. u.tenant) == 0 then
    redis.call('HDEL', load, 'given:' .. lane .. ':' .. u.tenant)
  end
end

-- A sentence goes into flight.
local function depart(u, segment)
  local lane = lane_of(u.class, segment)
  redis.call('ZADD', key('flight', u.pool), now, u.id .. ':' .. segment)
  count(u.pool, 'n:' .. lane, 1)
  count(u.pool, 'n:' .. lane .. ':' .. u.tenant, 1)
  redis.call('ZREM', key('idle', u.pool, lane), u.tenant)
end

-- A sentence is in flight no more.
local function land(u, segment)
  local lane = lane_of(u.class, segment)
  redis.call('ZREM', key('flight', u.pool), u.id .. ':' .. segment)
  count(u.pool, 'n:' .. lane, -1)
  if count(u.pool, 'n:' .. lane .. ':' .. u.tenant, -1) > 0 then return end
  local given = redis.call('ZSCORE', key('tenants', u.pool, lane), u.tenant)
  if given then
    redis.call('ZADD', key('idle', u.pool, lane), given, u.tenant)
    redis.call('PEXPIRE', key('idle', u.pool, lane), ttl * 2, 'NX')
  else
    redis.call('HDEL', key('load', u.pool), 'given:' .. lane .. ':' .. u.tenant)
  end
end

local function owe(u, ms)
  set(u, 'owed', u.owed + ms)
  count(u.pool, 'owed:' .. u.class, ms)
end

-- Segment and generation of what is in flight, by segment.
local function in_flight(id)
  local found = {}
  local values = redis.call('HGETALL', key('f', id))
  for i = 1, #values, 2 do
    found[#found + 1] = { segment = tonumber(values[i]), generation = tonumber(string.match(values[i + 1], '^%d+')) }
  end
  table.sort(found, function(a, b) return a.segment < b.segment end)
  return found
end

-- Takes all that an utterance has out of what is shared.
local function settle(u)
  displace(u)
  for _, sentence in ipairs(in_flight(u.id)) do land(u, sentence.segment) end
  count(u.pool, 'owed:' .. u.class, 0 - u.owed)
  redis.call('ZREM', key('open', u.tenant), u.id)
  redis.call('ZREM', key('holds', u.pool), u.id)
end

local function forget(id)
  local u = read(id)
  if u and u.cancelled == 0 then settle(u) end
  redis.call('ZREM', key('deadlines'), id)
  redis.call('UNLINK', key('u', id), key('s', id), key('f', id), key('p', id), key('t', id))
end

-- A few at a time: whoever calls is waiting.
local function reap()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('deadlines'), '-inf', now, 'LIMIT', 0, 100)) do forget(id) end
end

-- An utterance that is there and not past its deadline.
local function find(id)
  local deadline = redis.call('ZSCORE', key('deadlines'), id)
  if not deadline then return end
  local u = tonumber(deadline) > now and read(id)
  if u then return u end
  forget(id)
end

-- Every script ends with this for the utterances that it named, when all of their keys are made. Most touches move the
-- deadline and give an expiry to keys that have none; all expiries are moved when a quarter of the ttl has gone.
local function touch(u)
  redis.call('ZADD', key('deadlines'), now + ttl, u.id)
  redis.call('ZADD', key('open', u.tenant), 'XX', now + ttl, u.id)
  local stale = now - u.expiring > ttl / 4
  if stale then set(u, 'expiring', now) end
  local function keep(name, lifetimes)
    if stale then
      redis.call('PEXPIRE', name, ttl * lifetimes)
    else
      redis.call('PEXPIRE', name, ttl * lifetimes, 'NX')
    end
  end
  for _, kind in ipairs({ 'u', 's', 'f', 'p', 't' }) do keep(key(kind, u.id), 3) end
  keep(key('deadlines'), 2)
  keep(key('open', u.tenant), 2)
  keep(key('flight', u.pool), 2)
  keep(key('holds', u.pool), 2)
  keep(key('load', u.pool), 2)
  for _, lane in ipairs(u.class == 'bulk' and { 'bulk' } or { 'head', 'listener' }) do
    keep(key('tenants', u.pool, lane), 2)
    keep(key('idle', u.pool, lane), 2)
    keep(key('turns', u.pool, lane, u.tenant), 2)
  end
end

local calls = {}

function calls.ping() end
