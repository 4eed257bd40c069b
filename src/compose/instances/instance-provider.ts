// src/compose/instances/: several instances of one provider (`providers.misp.hq`), each with settings, limits and answers of its own.
import * as z from 'zod/mini';
import { settingMeta, type SettingsSchema } from '../../config/setting.ts';
import { LookupError } from '../../model/lookup-error.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { Provider } from '../../providers/provider.ts';

/** An instance: the same source under an id of its own (`misp.hq`), with settings whose environment names begin with it (`MISP_HQ_`). */
export function instanceProvider(base: Provider, name: string): Provider {
  const id = `${base.id}.${name}`;
  const named = (error: unknown) => (error instanceof LookupError ? renamed(error, id) : error);
  const said = (verdict: Verdict | null) => verdict && { ...verdict, provider: id };
  /** What the source throws names the instance. */
  function own<Args extends unknown[], Result>(ask: (...args: Args) => Result): (...args: Args) => Result {
    return (...args) => {
      try {
        return ask(...args);
      } catch (error) {
        throw named(error);
      }
    };
  }
  const { bulk, signIn, judge, followUp } = base;
  return {
    ...base,
    id,
    title: `${base.title} (${name})`,
    settings: ownSettings(base, name),
    request: own((...args) => base.request(...args)),
    read: own((...args) => said(base.read(...args))),
    ...(judge && { judge: own((...args) => asJudged(named(judge(...args)))) }),
    ...(followUp && { followUp: own((...args) => followUp(...args)) }),
    ...(signIn && { signIn: { request: own((...args) => signIn.request(...args)), read: own((...args) => signIn.read(...args)) } }),
    ...(bulk && {
      bulk: {
        ...bulk,
        request: own((...args) => bulk.request(...args)),
        read: own(
          (...args) =>
            new Map([...bulk.read(...args)].map(([value, one]) => [value, one instanceof LookupError ? renamed(one, id) : said(one)])),
        ),
      },
    }),
  };
}

function asJudged(judged: unknown): ReturnType<NonNullable<Provider['judge']>> {
  return judged as ReturnType<NonNullable<Provider['judge']>>;
}

function renamed({ code, provider, message, retryAfterMs, cause }: LookupError, id: string): LookupError {
  return new LookupError(code, id, message.slice(provider.length + 2), { retryAfterMs, cause });
}

function ownSettings({ id, settings }: Provider, name: string): SettingsSchema {
  const prefix = `${id}_`.toUpperCase();
  const shape = Object.entries(settings.shape).map(([key, setting]) => {
    const copy = setting.clone();
    const meta = settingMeta.get(setting);
    if (meta) {
      const rest = meta.env.startsWith(prefix) ? meta.env.slice(prefix.length) : meta.env;
      settingMeta.add(copy, { ...meta, env: `${prefix}${name.toUpperCase()}_${rest}` });
    }
    return [key, copy] as const;
  });
  return z.object(Object.fromEntries(shape));
}
