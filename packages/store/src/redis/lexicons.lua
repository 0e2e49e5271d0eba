-- Texts that a tenant keeps under a name, for ever; refused when the memory is full. lexicons:<tenant>: name -> text.

function calls.put(tenant, name, text, most)
  local lexicons = key('lexicons', tenant)
  local is_new = redis.call('HEXISTS', lexicons, name) == 0
  if is_new and redis.call('HLEN', lexicons) >= tonumber(most) then return 'over_limit' end
  redis.call('HSET', lexicons, name, text)
  return is_new and 'created' or 'replaced'
end

function calls.get(tenant, name)
  return redis.call('HGET', key('lexicons', tenant), name)
end

function calls.names(tenant)
  return redis.call('HKEYS', key('lexicons', tenant))
end

function calls.delete(tenant, name)
  return redis.call('HDEL', key('lexicons', tenant), name)
end
