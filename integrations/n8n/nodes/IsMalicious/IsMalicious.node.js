'use strict';

const { description } = require('./description.js');
const { itemOf, openSidecar } = require('./sidecar.js');

const DEFAULT_BATCH = 100;

function alertOf(value) {
  const alert = typeof value === 'string' ? JSON.parse(value) : value;
  if (typeof alert !== 'object' || alert === null || Array.isArray(alert)) throw new Error('The alert is not a JSON object.');
  return alert;
}

function textOf(context, name, n) {
  const value = context.getNodeParameter(name, n);
  if (typeof value !== 'string' || value.trim() === '') throw new Error(`"${name}" is empty.`);
  return value;
}

/** Splits a list answer of the sidecar among the items that asked. */
function oneForEach(list, items, what) {
  if (!Array.isArray(list) || list.length !== items.length) throw new Error(`The sidecar did not answer every ${what}.`);
  return list;
}

/** What each operation reads of an item, and how many items at once become answers. */
const OPERATIONS = {
  lookup: {
    read: (context, n) => textOf(context, 'indicator', n),
    async run(call, values, { timeoutMs, tlp, profile }) {
      const body = { indicators: values, ...(timeoutMs && { timeout_ms: timeoutMs }), ...(tlp && { tlp }), ...(profile && { profile }) };
      return oneForEach((await call('/v1/lookup', body, timeoutMs)).enrichments, values, 'value').map(itemOf);
    },
  },
  triage: {
    read: (context, n) => alertOf(context.getNodeParameter('alert', n)),
    run: async (call, alerts, { timeoutMs }) => oneForEach((await call('/v1/triage', { alerts }, timeoutMs)).decisions, alerts, 'alert'),
  },
  extract: {
    isSingle: true,
    read: (context, n) => textOf(context, 'text', n),
    run: async (call, [text]) => [await call('/v1/extract', { text, unique: true })],
  },
  overrule: {
    isSingle: true,
    read: (context, n) => ({
      ...Object.fromEntries(['indicator', 'author', 'reason'].map((name) => [name, textOf(context, name, n)])),
      verdict: context.getNodeParameter('verdict', n),
    }),
    run: async (call, [said]) => [await call('/v1/feedback', said)],
  },
  watch: {
    isSingle: true,
    read: (context, n) => ({
      indicators: [textOf(context, 'indicator', n)],
      by: textOf(context, 'author', n),
      reason: textOf(context, 'reason', n),
    }),
    async run(call, [wanted]) {
      const [result] = (await call('/v1/watchlist', wanted)).results;
      if (result.indicator === undefined) throw new Error(`${result.input} is not watched: ${result.message}`);
      return [result];
    },
  },
};

/** Groups of items that have the same options, in order, none larger than its batch. */
function batchesOf(read, isSingle) {
  const batches = [];
  for (const one of read) {
    const key = JSON.stringify(one.options);
    const size = isSingle ? 1 : (one.options.batchSize ?? DEFAULT_BATCH);
    const last = batches.at(-1);
    if (last !== undefined && last.key === key && last.items.length < size) last.items.push(one);
    else batches.push({ key, options: one.options, items: [one] });
  }
  return batches;
}

/** The node: items in, an answer for each item out, paired with it. */
class IsMalicious {
  constructor() {
    this.description = description;
  }

  async execute() {
    const { read, run, isSingle } = OPERATIONS[this.getNodeParameter('operation', 0)];
    const call = await openSidecar(this);
    const out = [];
    const fail = (error, n) => {
      if (!this.continueOnFail()) throw error instanceof Error ? error : new Error(String(error));
      out.push({ json: { error: error instanceof Error ? error.message : String(error) }, pairedItem: { item: n } });
    };
    const readings = [];
    for (let n = 0; n < this.getInputData().length; n++) {
      try {
        readings.push({ n, value: read(this, n), options: this.getNodeParameter('options', n, {}) });
      } catch (error) {
        fail(error, n);
      }
    }
    for (const { items, options } of batchesOf(readings, isSingle)) {
      try {
        const answers = await run(
          call,
          items.map(({ value }) => value),
          options,
        );
        for (const [at, json] of answers.entries()) out.push({ json, pairedItem: { item: items[at].n } });
      } catch (error) {
        for (const { n } of items) fail(error, n);
      }
    }
    return [out.sort((a, b) => a.pairedItem.item - b.pairedItem.item)];
  }
}

module.exports = { IsMalicious };
