-- Reading. It keeps an utterance from being forgotten, so it writes too.

function calls.get(id)
  local u = find(id)
  if not u then return {} end
  touch(u)
  return { u.record, u.segments, u.sealed, u.released, u.consumed, u.finished, u.failed, u.cancelled, u.length, u.pieces, u.complete,
    u.attended > now and 1 or 0 }
end

function calls.segments(id, from, count)
  local u = find(id)
  if not u or tonumber(count) < 1 then return {} end
  touch(u)
  return redis.call('LRANGE', key('s', id), from, from + count - 1)
end

function calls.texts(id, from, count)
  local u = find(id)
  if not u or tonumber(count) < 1 then return {} end
  touch(u)
  return redis.call('LRANGE', key('t', id), from, from + count - 1)
end

-- '<generation>' or '<generation> <outcome>' of each.
function calls.progress(id, from, count)
  local u = find(id)
  if not u then return {} end
  touch(u)
  local answer = {}
  if u.cancelled == 1 then return answer end
  for segment = tonumber(from), math.min(from + count, u.released) - 1 do
    answer[#answer + 1] = redis.call('HGET', key('p', id), segment)
      or string.match(redis.call('HGET', key('f', id), segment), '^%d+')
  end
  return answer
end

calls['is-cancelled'] = function(id)
  local u = find(id)
  return u and u.cancelled or 0
end

function calls.backlog(pool)
  reap()
  local owed = redis.call('HMGET', key('load', pool), 'owed:interactive', 'owed:bulk')
  return { owed[1] or '0', owed[2] or '0' }
end
