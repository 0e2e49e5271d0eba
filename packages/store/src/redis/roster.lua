-- Workers and the voices that they announced: workers:<pool> and voices:<pool> hold the records, alive:<pool> and
-- heard:<pool> until when; slots:<pool> how many sentences each worker speaks at a time.

local function set_until(records, deadlines, id, record, deadline)
  redis.call('HSET', records, id, record)
  redis.call('ZADD', deadlines, deadline, id)
end

local function forget_silent(deadlines, ...)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', deadlines, '-inf', now)) do
    for _, records in ipairs({ ... }) do
      redis.call('HDEL', records, id)
    end
    redis.call('ZREM', deadlines, id)
  end
end

local function forget_silent_workers(pool)
  forget_silent(key('alive', pool), key('workers', pool), key('slots', pool))
end

-- Voices follow as id, record, id, record, ...
function calls.announce(pool, id, record, slots, worker_ttl, voices_ttl, ...)
  local voices = { ... }
  set_until(key('workers', pool), key('alive', pool), id, record, now + worker_ttl)
  redis.call('HSET', key('slots', pool), id, slots)
  for i = 1, #voices, 2 do
    set_until(key('voices', pool), key('heard', pool), voices[i], voices[i + 1], now + voices_ttl)
  end
  for _, name in ipairs({ 'workers', 'slots', 'alive', 'voices', 'heard' }) do
    redis.call('PEXPIRE', key(name, pool), math.max(worker_ttl, voices_ttl))
  end
end

function calls.withdraw(pool, id)
  redis.call('HDEL', key('workers', pool), id)
  redis.call('HDEL', key('slots', pool), id)
  redis.call('ZREM', key('alive', pool), id)
end

function calls.workers(pool)
  forget_silent_workers(pool)
  return redis.call('HVALS', key('workers', pool))
end

function calls.slots(pool)
  forget_silent_workers(pool)
  local sum = 0
  for _, slots in ipairs(redis.call('HVALS', key('slots', pool))) do
    sum = sum + slots
  end
  return sum
end

function calls.voices(pool)
  forget_silent(key('heard', pool), key('voices', pool))
  return redis.call('HVALS', key('voices', pool))
end
