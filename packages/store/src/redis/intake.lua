-- What Redis refuses when its memory is full: new utterances and new text.

function calls.create(id, max_open, record, tenant, class, pool, weight, window)
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
    'window', window)
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
    if u.finished == u.segments then redis.call('ZREM', key('open', u.tenant), id) end
  end
  place(u)
  touch(u)
  return ''
end
