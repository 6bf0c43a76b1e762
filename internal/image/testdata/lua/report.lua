local function say(...)
  local out = {}
  for i = 1, select("#", ...) do
    local v = select(i, ...)
    if type(v) == "table" then
      local keys = {}
      for k in pairs(v) do keys[#keys + 1] = tostring(k) end
      table.sort(keys)
      for n, k in ipairs(keys) do keys[n] = k .. "=" .. tostring(v[k] or v[tonumber(k)]) end
      out[i] = "{" .. table.concat(keys, " ") .. "}"
    elseif math.type(v) == "float" and v == math.floor(v) then
      out[i] = string.format("%d", v)
    else
      out[i] = tostring(v)
    end
  end
  local f = assert(io.open("/log", "a"))
  f:write(table.concat(out, " | "), "\n")
  f:close()
end
-- Messages of older versions name the library of a function.
local function try(f, ...)
  local ok, err = pcall(f, ...)
  say(ok, ok or (err:gsub("'%a+%.(%a+)'", "'%1'")))
end
