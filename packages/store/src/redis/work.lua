-- The way of a sentence from stored to finished, and what ends it early. All of this goes on when memory is full, because
-- it is what empties it.

-- Index, segment and generation of a sentence, with its utterance, as codec.ts reads them.
local function hand_out(answer, u, segment, item, generation)
  for _, value in ipairs({ u.record, tostring(segment), item, tostring(generation) }) do answer[#answer + 1] = value end
end

-- Releases a lane's next sentence: of the tenant that was given the least, or of one with nothing in flight when the room
-- is used up. False when there is none.
local function release_one(pool, lane, room, answer)
  local load = key('load', pool)
  local has_room = tonumber(redis.call('HGET', load, 'n:' .. lane) or 0) < room
  local tenants = key(has_room and 'tenants' or 'idle', pool, lane)
  local tenant, given = unpack(redis.call('ZRANGE', tenants, 0, 0, 'WITHSCORES'))
  if not tenant then return false end

  local turns = key('turns', pool, lane, tenant)
  local id = redis.call('ZRANGE', turns, 0, 0)[1]
  local u = id and find(id)
  if not u then
    -- Only when somebody else removed keys: a turn without an utterance, or a tenant without a turn.
    if id then redis.call('ZREM', turns, id) else redis.call('ZREM', tenants, tenant) end
    return true
  end
  local segment = u.released
  local item = segment_at(u, segment)
  if has_room then redis.call('HSET', load, 'given:' .. lane, given) end
  given = given + cost_of(item) / u.weight
  redis.call('HSET', load, 'given:' .. lane .. ':' .. tenant, given)
  redis.call('ZADD', key('tenants', pool, lane), given, tenant)
  redis.call('HSET', key('f', id), segment, '0 ' .. cost_of(item))
  depart(u, segment)
  displace(u)
  set(u, 'released', segment + 1)
  place(u)
  touch(u)
  hand_out(answer, u, segment, item, 0)
  return true
end

function calls.release(pool, limit, head, listener, bulk)
  reap()
  local answer = {}
  for i, lane in ipairs({ 'head', 'listener', 'bulk' }) do
    local room = tonumber(({ head, listener, bulk })[i])
    while #answer < limit * 4 and release_one(pool, lane, room, answer) do end
  end
  return answer
end

function calls.consumed(id, segment)
  local u = find(id)
  if not u then return end
  segment = math.min(tonumber(segment), u.segments)
  if u.cancelled == 0 and segment > u.consumed then
    set(u, 'consumed', segment)
    place(u)
  end
  touch(u)
end

-- The outcome is 's<samples>' or 'f<why>'.
function calls.finished(id, segment, generation, outcome)
  local u = find(id)
  if not u then return end
  local flight = u.cancelled == 0 and redis.call('HGET', key('f', id), segment)
  if flight then
    local current, cost = string.match(flight, '^(%d+) (%d+)$')
    if tonumber(generation) >= tonumber(current) then
      redis.call('HDEL', key('f', id), segment)
      redis.call('HSET', key('p', id), segment, generation .. ' ' .. outcome)
      land(u, tonumber(segment))
      owe(u, -tonumber(cost))
      set(u, 'finished', u.finished + 1)
      if string.sub(outcome, 1, 1) == 'f' then set(u, 'failed', u.failed + 1) end
      if u.sealed == 1 and u.finished == u.segments then redis.call('ZREM', key('open', u.tenant), id) end
    end
  end
  touch(u)
end

function calls.overdue(pool, older_than, limit)
  reap()
  local answer, flight = {}, key('flight', pool)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', flight, '-inf', now - older_than, 'LIMIT', 0, limit)) do
    local id, segment = string.match(member, '^(.*):(%d+)$')
    local u = find(id)
    local sentence = u and redis.call('HGET', key('f', id), segment)
    if sentence then
      redis.call('ZADD', flight, now, member)
      touch(u)
      hand_out(answer, u, segment, segment_at(u, segment), string.match(sentence, '^%d+'))
    else
      redis.call('ZREM', flight, member)
    end
  end
  return answer
end

function calls.regenerate(id, segment, expected)
  local u = find(id)
  if not u then return {} end
  touch(u)
  if u.cancelled == 1 then return {} end
  local flight, done = redis.call('HGET', key('f', id), segment), redis.call('HGET', key('p', id), segment)
  local current = flight or done
  if not current or string.match(current, '^%d+') ~= expected then return {} end

  local item = segment_at(u, segment)
  local generation = tostring(expected + 1)
  redis.call('HSET', key('f', id), segment, generation .. ' ' .. cost_of(item))
  if flight then
    redis.call('ZADD', key('flight', u.pool), now, id .. ':' .. segment)
  else
    redis.call('HDEL', key('p', id), segment)
    set(u, 'finished', u.finished - 1)
    if string.find(done, '^%d+ f') then set(u, 'failed', u.failed - 1) end
    owe(u, cost_of(item))
    depart(u, tonumber(segment))
    redis.call('ZADD', key('open', u.tenant), now + ttl, id)
  end
  touch(u)
  local answer = {}
  hand_out(answer, u, segment, item, generation)
  return answer
end

-- What was in flight stays in f, so that a repeat has the same answer.
function calls.cancel(id)
  local u = find(id)
  if not u then return false end
  if u.cancelled == 0 then
    settle(u)
    set(u, 'cancelled', 1)
    redis.call('UNLINK', key('s', id), key('p', id), key('t', id))
  end
  touch(u)
  local answer = { u.segments - u.finished }
  for _, sentence in ipairs(in_flight(id)) do
    answer[#answer + 1] = sentence.segment
    answer[#answer + 1] = sentence.generation
  end
  return answer
end

function calls.hold(id, as)
  local u = find(id)
  if not u then return end
  if as == 'writer' or u.complete == 1 then redis.call('ZADD', key('holds', u.pool), 'XX', now + u.idle, id) end
  touch(u)
end

function calls.attend(id, lasts)
  local u = find(id)
  if not u then return end
  set(u, 'attended', math.max(u.attended, now + lasts))
  touch(u)
end

function calls.abandoned(pool, retry, limit)
  reap()
  local holds, answer = key('holds', pool), {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', holds, '-inf', now, 'LIMIT', 0, limit)) do
    local u = find(id)
    if u then
      redis.call('ZADD', holds, now + retry, id)
      touch(u)
      answer[#answer + 1] = id
    else
      redis.call('ZREM', holds, id)
    end
  end
  return answer
end
