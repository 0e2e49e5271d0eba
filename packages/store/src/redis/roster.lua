-- Workers and the voices that they announced: workers:<pool> and voices:<pool> hold the records, alive:<pool> and
-- heard:<pool> until when.

local function set_until(records, deadlines, id, record, deadline)
  redis.call('HSET', records, id, record)
  redis.call('ZADD', deadlines, deadline, id)
end

local function list(records, deadlines)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', deadlines, '-inf', now)) do
    redis.call('HDEL', records, id)
    redis.call('ZREM', deadlines, id)
  end
  return redis.call('HVALS', records)
end

-- Voices follow as id, record, id, record, ...
function calls.announce(pool, id, record, worker_ttl, voices_ttl, ...)
  local voices = { ... }
  set_until(key('workers', pool), key('alive', pool), id, record, now + worker_ttl)
  for i = 1, #voices, 2 do
    set_until(key('voices', pool), key('heard', pool), voices[i], voices[i + 1], now + voices_ttl)
  end
  for _, name in ipairs({ 'workers', 'alive', 'voices', 'heard' }) do
    redis.call('PEXPIRE', key(name, pool), math.max(worker_ttl, voices_ttl))
  end
end

function calls.withdraw(pool, id)
  redis.call('HDEL', key('workers', pool), id)
  redis.call('ZREM', key('alive', pool), id)
end

function calls.workers(pool)
  return list(key('workers', pool), key('alive', pool))
end

function calls.voices(pool)
  return list(key('voices', pool), key('heard', pool))
end
