import { createHash } from 'node:crypto';

/** A script that Redis runs as one step, and the name by which it remembers it. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

const script = (text: string): RedisScript => ({ text, sha: createHash('sha1').update(text).digest('hex') });

/** The time at the server: the same for all, whatever the clocks of the machines say. */
const TIME = `
local t = redis.call('TIME')
local nowS = tonumber(t[1])
local now = nowS * 1000 + math.floor(tonumber(t[2]) / 1000)
`;

/** Sums of what each process has paid. */
const SUM = `
local function sum(key)
  local total = 0
  for _, paid in ipairs(redis.call('HVALS', key)) do total = total + tonumber(paid) end
  return total
end
`;

/**
 * Keys: calls, paid on the day, paid in the month, notes, fence; then answer and lease of each value.
 * Arguments: name of this process, number of the call, milliseconds of a lease, credits a look-up, limit of the day and of the month (-1:
 * none), number of windows, requests and milliseconds of each, then the age that an answer may have, in seconds since 1970, of each value.
 * Gives: now, wait, which budget is used up, number of the lease, paid on the day, in the month, the notes, and of each value its answer, or
 * `h` (held), `g` (granted), `f` (free, and not granted). A window is so many calls, each with its time: those outside are forgotten.
 */
export const CLAIM = script(`${TIME}${SUM}
local cost, limits, count = tonumber(ARGV[4]), { tonumber(ARGV[5]), tonumber(ARGV[6]) }, tonumber(ARGV[7])
local first = 7 + 2 * count
local states, mine = {}, {}
for v = 1, #ARGV - first do
  local row = redis.call('GET', KEYS[4 + 2 * v])
  local checked, expires
  if row then checked, expires = string.match(row, '^(%d+) (%d+) ') end
  if checked and tonumber(expires) > nowS and tonumber(checked) >= tonumber(ARGV[first + v]) then
    states[v] = row
  else
    local lease = redis.call('GET', KEYS[5 + 2 * v])
    -- Ours already: the answer to the claim was lost on its way.
    if lease and string.match(lease, ' (.*)$') ~= ARGV[1] then
      states[v] = 'h'
    else
      states[v] = 'f'
      mine[#mine + 1] = v
    end
  end
end
local paid = { sum(KEYS[2]), sum(KEYS[3]) }
local notes = redis.call('HGETALL', KEYS[4])
if #states > 0 and #mine == 0 then return { now, 0, 0, 0, tostring(paid[1]), tostring(paid[2]), notes, states } end
local wait, longest = 0, 0
for w = 1, count do
  local requests, span = tonumber(ARGV[6 + 2 * w]), tonumber(ARGV[7 + 2 * w])
  if span > longest then longest = span end
  local most = redis.call('ZCOUNT', KEYS[1], '(' .. (now - span), '+inf') + 1 - requests
  if requests <= 0 then
    wait = math.max(wait, span)
  elseif most > 0 then
    local leaves = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (now - span), '+inf', 'WITHSCORES', 'LIMIT', most - 1, 1)
    wait = math.max(wait, 1, tonumber(leaves[2]) + span - now)
  end
end
local exhausted, most = 0, #mine
if cost > 0 then
  for n = 1, 2 do
    if limits[n] >= 0 then
      local affordable = math.max(0, math.floor((limits[n] - paid[n]) / cost))
      if affordable < most then exhausted, most = n, affordable end
    end
  end
end
local fence = 0
if wait == 0 and (most > 0 or #states == 0) then
  fence = redis.call('INCR', KEYS[5])
  for n = 1, most do
    states[mine[n]] = 'g'
    redis.call('SET', KEYS[5 + 2 * mine[n]], fence .. ' ' .. ARGV[1], 'PX', ARGV[3])
  end
  if longest > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - longest)
    redis.call('ZADD', KEYS[1], now, ARGV[1] .. ':' .. ARGV[2])
    redis.call('PEXPIRE', KEYS[1], longest)
  end
  if cost > 0 and most > 0 then
    for n = 1, 2 do
      redis.call('HINCRBYFLOAT', KEYS[1 + n], ARGV[1], cost * most)
      paid[n] = paid[n] + cost * most
    end
    redis.call('EXPIRE', KEYS[2], 172800)
    redis.call('EXPIRE', KEYS[3], 2764800)
  end
end
return { now, wait, exhausted, fence, tostring(paid[1]), tostring(paid[2]), notes, states }
`);

/** Answers that a log of changes holds; the oldest go. It is forgotten when nothing changes for a week. */
const LOG = `
local function log(changes, number, answer, now)
  local last = redis.call('GET', number)
  -- Begins with the time: a server that forgot it still counts on.
  if not last then redis.call('SET', number, now) end
  redis.call('ZADD', changes, redis.call('INCR', number), answer)
  redis.call('ZREMRANGEBYRANK', changes, 0, -10001)
  redis.call('EXPIRE', changes, 604800)
  redis.call('EXPIRE', number, 604800)
end
`;

/**
 * Keys: what was replaced, and a number that grows with it; the same of what was written; then answer and lease of each value. Arguments: name
 * of this process, then of each value the number of its lease (0: none), the answer with its head, or nothing, the time it was checked, and for
 * how many milliseconds it is fresh. Who holds a lease no more replaces nothing that a later holder wrote. Where two answers differ within their
 * lifetime, the others are to look again. What is older than ten minutes was written before, to a server that lost it.
 */
export const KEEP = script(`${TIME}${LOG}
for v = 1, #KEYS / 2 - 2 do
  local fence, row, checked, ttl = tonumber(ARGV[4 * v - 2]), ARGV[4 * v - 1], tonumber(ARGV[4 * v]), tonumber(ARGV[4 * v + 1])
  local answer, lease = KEYS[2 * v + 3], KEYS[2 * v + 4]
  if row ~= '' and ttl > 0 then
    local before = redis.call('GET', answer)
    local wrote, by, text
    if before then wrote, by, text = string.match(before, '^(%d+) %d+ (%d+) (.*)$') end
    local isLate = wrote and ((fence > 0 and tonumber(by) > fence) or (fence == 0 and tonumber(wrote) >= checked))
    if not isLate then
      redis.call('SET', answer, row, 'PX', ttl)
      if nowS - checked < 600 then log(KEYS[3], KEYS[4], answer, now) end
    end
    if text and text ~= string.match(row, '^%d+ %d+ %d+ (.*)$') then log(KEYS[1], KEYS[2], answer, now) end
  end
  if fence > 0 and redis.call('GET', lease) == ARGV[4 * v - 2] .. ' ' .. ARGV[1] then redis.call('DEL', lease) end
end
return 1
`);

/** Keys: calls. Arguments: name of a call, and milliseconds of the longest window. It counts as made now, if it still counts. Gives: now. */
export const MOVE = script(`${TIME}
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return now
`);

/**
 * Keys: fence, then leases. Arguments: name of this process, milliseconds, and the number of each. Those that are ours last longer; one that a
 * server lost, or that ran out while we were away, is ours again. Numbers of leases go on above those that are known.
 */
export const RENEW = script(`
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
for v = 2, #KEYS do
  local ours = ARGV[1 + v] .. ' ' .. ARGV[1]
  local lease = redis.call('GET', KEYS[v])
  if not lease or lease == ours then redis.call('SET', KEYS[v], ours, 'PX', ARGV[2]) end
  if tonumber(ARGV[1 + v]) > last then
    last = tonumber(ARGV[1 + v])
    redis.call('SET', KEYS[1], ARGV[1 + v])
  end
end
return 1
`);

/** Keys: notes. Arguments: name, time in seconds, text. A younger one stays. */
export const NOTE = script(`
local before = redis.call('HGET', KEYS[1], ARGV[1])
local at = before and tonumber(string.match(before, '^(%d+) '))
if at and at > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
redis.call('EXPIRE', KEYS[1], 604800)
return 1
`);

/**
 * Tells what this process has done, as often as it likes, and asks what all have done.
 * Keys: calls, paid on the day, paid in the month, notes, which server this is, who is there, the numbers of what was replaced and written.
 * Arguments: name of this process, name of the server's run, paid by us on the day and in the month, number of windows, milliseconds of each,
 * then time and name of each call that is ours.
 * Gives: now, since when this server is there, paid on the day, in the month, the notes, names of those that are there, calls in each window,
 * those numbers.
 */
export const SETTLE = script(`${TIME}${SUM}
local count = tonumber(ARGV[5])
local longest = 0
for w = 1, count do longest = math.max(longest, tonumber(ARGV[5 + w])) end
for n = 6 + count, #ARGV, 2 do
  if tonumber(ARGV[n]) > now - longest then redis.call('ZADD', KEYS[1], math.min(now, tonumber(ARGV[n])), ARGV[n + 1]) end
end
if longest > 0 then redis.call('PEXPIRE', KEYS[1], longest) end
for n = 1, 2 do
  local ours = tonumber(ARGV[2 + n])
  local known = tonumber(redis.call('HGET', KEYS[1 + n], ARGV[1]) or '0')
  if ours > known then redis.call('HSET', KEYS[1 + n], ARGV[1], ours) end
end
redis.call('EXPIRE', KEYS[2], 172800)
redis.call('EXPIRE', KEYS[3], 2764800)
local since, run = string.match(redis.call('GET', KEYS[5]) or '', '^(%d+) (.*)$')
if not since or run ~= ARGV[2] then
  since = now
  redis.call('SET', KEYS[5], now .. ' ' .. ARGV[2])
end
redis.call('ZADD', KEYS[6], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', now - 10000)
redis.call('PEXPIRE', KEYS[6], 20000)
local used = {}
for w = 1, count do used[w] = redis.call('ZCOUNT', KEYS[1], '(' .. (now - tonumber(ARGV[5 + w])), '+inf') end
return { now, tonumber(since), tostring(sum(KEYS[2])), tostring(sum(KEYS[3])), redis.call('HGETALL', KEYS[4]), redis.call('ZRANGE', KEYS[6], 0, -1), used, redis.call('GET', KEYS[7]) or '0', redis.call('GET', KEYS[8]) or '0' }
`);

/** Keys: who is there. Argument: name of this process. */
export const LEAVE = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`);

/** Keys: a log of changes, its number. Arguments: the number up to which it is known, most answers. Gives: the number up to which these go, their keys. */
export const CHANGES = script(`
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local names, upTo = {}, ARGV[1]
for n = 1, #found, 2 do names[#names + 1], upTo = found[n], found[n + 1] end
if #names < tonumber(ARGV[2]) then upTo = redis.call('GET', KEYS[2]) or upTo end
return { upTo, names }
`);

/**
 * Keys: rows of a register, and the order in which they changed. Arguments: name under which the server is known and number up to which its
 * changes are, most rows, a name for a server that has none, then name, time in milliseconds and text of each row that is to be taken. The
 * newest stays. Gives: the server's name, the number up to which the rows go, and in turn name and row of each that changed since.
 * A half that was lost is lost whole: all have to tell it again.
 */
export const EXCHANGE = script(`
local rows, order, since = KEYS[1], KEYS[2], ARGV[2]
local server = redis.call('HGET', rows, '')
if not server or redis.call('HLEN', rows) ~= redis.call('ZCARD', order) + 1 then
  redis.call('DEL', rows, order)
  server = ARGV[4]
  redis.call('HSET', rows, '', server)
end
if server ~= ARGV[1] then since = '0' end
local last = redis.call('ZREVRANGE', order, 0, 0, 'WITHSCORES')
local version = tonumber(last[2] or '0')
for n = 5, #ARGV, 3 do
  local before = redis.call('HGET', rows, ARGV[n])
  local at, row = before and tonumber(string.match(before, '^(%d+) ')), ARGV[n + 1] .. ' ' .. ARGV[n + 2]
  if not at or tonumber(ARGV[n + 1]) > at or (tonumber(ARGV[n + 1]) == at and row > before) then
    version = version + 1
    redis.call('HSET', rows, ARGV[n], row)
    redis.call('ZADD', order, version, ARGV[n])
  end
end
redis.call('EXPIRE', rows, 2592000)
redis.call('EXPIRE', order, 2592000)
local found = redis.call('ZRANGEBYSCORE', order, '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local changed = {}
for n = 1, #found, 2 do
  changed[n], changed[n + 1] = found[n], redis.call('HGET', rows, found[n])
  since = found[n + 1]
end
return { server, since, changed }
`);
