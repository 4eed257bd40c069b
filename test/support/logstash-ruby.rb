# Runs the code of ruby filters as Logstash does: a lambda that is handed the event. Cases come in and events go out as JSON lines.
# Whatever the machine's locale is: events are UTF-8.
Encoding.default_external = Encoding::UTF_8
[STDIN, STDOUT].each { |io| io.set_encoding(Encoding::UTF_8) }
require "json"

module LogStash
  module Json
    def self.dump(value)
      JSON.generate(value)
    end
  end
end

class Event
  attr_reader :data

  def initialize(data)
    @data = data
  end

  def path(reference)
    reference.start_with?("[") ? reference[1..-2].split("][") : [reference]
  end

  def step(value, name)
    return value[name] if value.is_a?(Hash)
    return value[name.to_i] if value.is_a?(Array) && name =~ /\A-?\d+\z/
    nil
  end

  # What comes out is a copy, as values that cross into Ruby are.
  def get(reference)
    value = path(reference).reduce(@data) { |at, name| step(at, name) }
    value.nil? ? nil : JSON.parse(JSON.generate([value]))[0]
  end

  def set(reference, value)
    *parents, last = path(reference)
    parent = parents.reduce(@data) do |at, name|
      at[name] = {} if at[name].nil?
      raise "Could not set field" unless at[name].is_a?(Hash)
      at[name]
    end
    parent[last] = JSON.parse(JSON.generate([value]))[0]
  end

  def remove(reference)
    *parents, last = path(reference)
    parent = parents.reduce(@data) { |at, name| step(at, name) }
    parent.is_a?(Hash) ? parent.delete(last) : nil
  end

  def tag(name)
    tags = [@data["tags"]].flatten.compact
    @data["tags"] = tags.include?(name) ? tags : tags + [name]
  end

  def to_json(*)
    JSON.generate(@data.reject { |name, _| name == "@metadata" })
  end
end

codes = JSON.parse(STDIN.readline)
blocks = codes.to_h { |id, code| [id, eval("lambda { |event, &block| " + code + "\n}")] }
STDIN.each_line do |line|
  one = JSON.parse(line)
  $ismalicious_failures = one["failures"]
  $ismalicious_skip_until = one["skips"] ? Process.clock_gettime(Process::CLOCK_MONOTONIC) + 60 : 0
  event = Event.new(one["event"])
  blocks.fetch(one["id"]).call(event)
  skips = ($ismalicious_skip_until || 0) > Process.clock_gettime(Process::CLOCK_MONOTONIC)
  puts JSON.generate("event" => event.data, "failures" => $ismalicious_failures, "skips" => skips)
end
