-- What Redis refuses when its memory is full: new utterances and new text.

function calls.create(id, max_open, record, tenant, class, pool, weight, window, idle, transient)
  local known = find(id)
  if known then
    touch(known)
    return 'exists'
  end
  reap()
  local open = key('open', tenant)
  for _, expired in ipairs(redis.call('ZRANGEBYSCORE', open, '-inf', now)) do forget(expired) end
  if redis.call('ZCARD', open) >= tonumber(max_open) then return 'over_limit' end
  redis.call('HSET', key('u', id), 'record', record, 'tenant', tenant, 'class', class, 'pool', pool, 'weight', weight,
    'window', window, 'idle', idle, 'transient', transient)
  if tonumber(idle) > 0 then redis.call('ZADD', key('holds', pool), now + idle, id) end
  redis.call('ZADD', open, now + ttl, id)
  touch(read(id))
  return 'created'
end

-- Answers '' or why nothing was stored.
function calls.append(id, at, seal, ...)
  local u, items = find(id), { ... }
  if not u then return 'utterance_not_found' end
  touch(u)
  if u.cancelled == 1 then return 'cancelled' end
  at = tonumber(at)
  if at > u.segments then return 'gap' end

  local known = redis.call('LRANGE', key('s', id), at, at + #items - 1)
  local repeated, ends_before = true, seal == '1' and at + #items < u.segments
  if #items == 0 then known = {} end
  for i, item in ipairs(known) do repeated = repeated and item == items[i] end
  if u.sealed == 1 and (#known < #items or not repeated or ends_before) then return 'utterance_sealed' end
  if not repeated or ends_before then return 'conflict' end

  local cost = 0
  for i = #known + 1, #items do cost = cost + cost_of(items[i]) end
  if #known < #items then
    redis.call('RPUSH', key('s', id), unpack(items, #known + 1))
    set(u, 'segments', at + #items)
    owe(u, cost)
  end
  if seal == '1' then
    set(u, 'sealed', 1)
    if u.transient == 0 then redis.call('ZREM', key('holds', u.pool), id) end
    if u.finished == u.segments then redis.call('ZREM', key('open', u.tenant), id) end
  end
  place(u)
  touch(u)
  return ''
end

-- Answers the result and the text as it is then, or why there can't be any.
function calls.text(id, at, units, max_length, flush, last, json)
  local u = find(id)
  if not u then return 'utterance_not_found' end
  touch(u)
  if u.cancelled == 1 then return 'cancelled' end
  at, units = tonumber(at) or u.length, tonumber(units)
  local function answer(result)
    return { result, u.length, u.pieces, u.complete }
  end

  local behind = at + units
  local fresh = units > 0 and behind > u.length
  local at_end = (fresh and at or behind) == u.length
  local ends = last == '1' and u.complete == 0
  if u.idle == 0 or at > u.length then return answer('refused') end
  if fresh and (not at_end or u.complete == 1 or behind > tonumber(max_length)) then return answer('refused') end
  if ends and not at_end then return answer('refused') end
  redis.call('ZADD', key('holds', u.pool), 'XX', now + u.idle, id)
  local flushes = flush == '1' and at_end and u.complete == 0 and behind > 0 and (fresh or u.flushed < behind)
  if not (fresh or flushes or ends) then return answer('there') end

  redis.call('RPUSH', key('t', id), (flushes and ends and 'b' or flushes and 'f' or ends and 'e' or '-') .. (fresh and json or '""'))
  set(u, 'pieces', u.pieces + 1)
  if fresh then set(u, 'length', behind) end
  if flushes then set(u, 'flushed', behind) end
  if ends then set(u, 'complete', 1) end
  touch(u)
  return answer('stored')
end
