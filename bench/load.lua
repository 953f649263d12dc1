-- Sends the requests of a file and prints what came of it as one line of JSON.
-- Each line of the file is method, path, headers and body between tabs; the headers are
-- "Name: value" joined by the unit separator. The second argument is how keys are
-- taken: "random", or "once" for writes that must not be repeated.

local UNIT_SEPARATOR = "\31"
local started = {}

function setup(thread)
    thread:set("number", #started)
    table.insert(started, thread)
    for _, each in ipairs(started) do
        each:set("threads", #started)
    end
end

local function header_fields(text)
    local fields = {}
    for field in text:gmatch("[^" .. UNIT_SEPARATOR .. "]+") do
        local name, value = field:match("^([^:]+): (.*)$")
        fields[name] = value
    end
    return fields
end

function init(arguments)
    requests, mode, taken = {}, arguments[2], 0
    for line in io.lines(arguments[1]) do
        local method, path, headers, body = line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
        if body == "" then
            body = nil
        end
        table.insert(requests, wrk.format(method, path, header_fields(headers), body))
    end
    math.randomseed(number + 1)
end

function request()
    if mode == "once" then
        taken = taken + 1
        return requests[(number + (taken - 1) * threads) % #requests + 1]
    end
    return requests[math.random(#requests)]
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format(
        '\nRESULT {"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p95_ms": %.3f, '
        .. '"p99_ms": %.3f, "status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
        latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, errors.status,
        errors.connect, errors.read, errors.write, errors.timeout))
end
