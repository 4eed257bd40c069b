import { useEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';
import Button from '@splunk/react-ui/Button';
import CollapsiblePanel from '@splunk/react-ui/CollapsiblePanel';
import ControlGroup from '@splunk/react-ui/ControlGroup';
import Heading from '@splunk/react-ui/Heading';
import Message from '@splunk/react-ui/Message';
import Paragraph from '@splunk/react-ui/Paragraph';
import TextArea from '@splunk/react-ui/TextArea';
import WaitSpinner from '@splunk/react-ui/WaitSpinner';
import useSplunkTheme from '@splunk/themes/useSplunkTheme';
import { faultsOf, save, shownList } from './draft.ts';
import type { Draft, Removals, Saved } from './draft.ts';
import { OWN_DOMAINS, OWN_NETWORKS, PRIVACY, PROVIDERS, secretNameOf } from './fields.mts';
import type { ProviderForm } from './fields.mts';
import { NextSteps } from './next-steps.tsx';
import { ProviderFields } from './provider-fields.tsx';
import type { FormState } from './provider-fields.tsx';
import { markConfigured, readConf, savedSecrets, SplunkdError } from './splunkd.ts';
import { testConnection } from './test-connection.ts';
import type { TestOutcome } from './test-connection.ts';

/** The one that most people set up first: its test stands beside Save. */
const FIRST_ID = 'ismalicious';
/** These two stand open; all others wait folded. */
const OPEN_IDS = [FIRST_ID, 'remote'];

// Splunk's own style sheet and ours both set these to nothing.
const HEADING = { margin: '24px 0 12px' };
const PARAGRAPH = { margin: '8px 0 16px' };

const NOTHING_SAVED: Saved = { conf: {}, secrets: new Set() };

type Notice = { readonly kind: 'info' | 'success' | 'warning' | 'error'; readonly text: string };

function wordsOf(error: unknown): string {
  if (error instanceof SplunkdError) return error.message;
  return `This page has met a fault of its own: ${error instanceof Error ? error.message : 'unknown'}.`;
}

/** What splunkd has, read once; what may not be read is said and left empty. */
async function load(): Promise<{ saved: Saved; notices: Notice[] }> {
  const notices: Notice[] = [];
  const attempt = async <T,>(read: () => Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      notices.push({ kind: 'error', text: wordsOf(error) });
      return null;
    }
  };
  const [conf, secrets] = await Promise.all([attempt(readConf), attempt(savedSecrets)]);
  return { saved: { conf: conf ?? {}, secrets }, notices };
}

/** The setup page. */
export function SetupPage() {
  const [saved, setSaved] = useState<Saved | null>(null);
  const [draft, setDraft] = useState<Draft>({});
  const [removals, setRemovals] = useState<Removals>(new Set());
  const [faults, setFaults] = useState<ReadonlyMap<string, string>>(new Map());
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const [busy, setBusy] = useState<string | null>('Reading what is saved');
  const [isDone, setIsDone] = useState(false);
  const outcome = useRef<HTMLDivElement>(null);
  const { backgroundColorPage, contentColorDefault } = useSplunkTheme();
  // Splunk's page around the panel keeps its own colours: ours has to cover the panel's.
  const sheet = { padding: 24, background: backgroundColorPage, color: contentColorDefault };

  useEffect(() => {
    async function begin(): Promise<void> {
      const { saved: found, notices: said } = await load();
      setSaved(found);
      setNotices(said);
      setBusy(null);
    }
    void begin();
  }, []);

  const form: FormState = {
    draft,
    saved: saved ?? NOTHING_SAVED,
    faults,
    removals,
    isBusy: busy !== null,
    onType(name, text) {
      setDraft({ ...draft, [name]: text });
      setFaults(new Map([...faults].filter(([faulty]) => faulty !== name)));
    },
    onRemove(name, isRemoved) {
      setRemovals(new Set(isRemoved ? [...removals, name] : [...removals].filter((other) => other !== name)));
    },
  };
  const isChanged = removals.size > 0 || Object.keys(draft).length > 0;

  function tell(...said: Notice[]): void {
    setNotices(said);
    setBusy(null);
    // Who works by keyboard or hears the page is taken to what it says.
    setTimeout(() => outcome.current?.focus());
  }

  async function onSave(): Promise<void> {
    const found = faultsOf(draft);
    setFaults(found);
    if (found.size > 0) {
      tell({
        kind: 'error',
        text: `Nothing was saved: ${found.size === 1 ? 'one entry needs' : `${found.size} entries need`} a look. ${[...found.values()].join(' ')}`,
      });
      return;
    }
    setBusy('Saving');
    try {
      await save(draft, removals);
      await markConfigured();
      const after = await load();
      setSaved(after.saved);
      setDraft({});
      setRemovals(new Set());
      setIsDone(true);
      tell({ kind: 'success', text: 'Saved. The app is set up; searches use the new settings from now on.' }, ...after.notices);
    } catch (error) {
      tell({ kind: 'error', text: `Not everything was saved. ${wordsOf(error)} Your entries are still here: save again afterwards.` });
    }
  }

  async function onTest(provider: ProviderForm): Promise<void> {
    setBusy(`Testing ${provider.title}`);
    try {
      const { kind, text }: TestOutcome = await testConnection(provider.id);
      tell({ kind, text });
    } catch (error) {
      tell({ kind: 'error', text: wordsOf(error) });
    }
  }

  const first = PROVIDERS.find(({ id }) => id === FIRST_ID);
  const sections = PROVIDERS.map((provider) => ({ provider, actions: testButton(provider) }));
  const [shown, folded] = [true, false].map((isOpen) => sections.filter(({ provider }) => OPEN_IDS.includes(provider.id) === isOpen));

  function testButton(provider: ProviderForm) {
    return (
      <Button
        appearance="secondary"
        label="Test connection"
        aria-label={`Test connection: ${provider.title}`}
        disabled={busy !== null || isChanged}
        onClick={() => void onTest(provider)}
      />
    );
  }

  if (saved === null)
    return (
      <div style={sheet}>
        <Heading level={1}>Set up isMalicious</Heading>
        <div role="status">
          <WaitSpinner size="medium" screenReaderText="Reading what is saved" /> Reading what is saved
        </div>
      </div>
    );

  return (
    <div style={sheet}>
      <div style={{ maxWidth: 760 }}>
        <Heading level={1}>Set up isMalicious</Heading>
        <Paragraph style={PARAGRAPH}>
          Enter the key of one source, or the address of a sidecar that holds the keys. Without either, only the lists that come with the app
          answer. Keys go into Splunk's credential store and are never shown again; all other settings go into ismalicious.conf.
        </Paragraph>
        <div style={{ margin: '12px 0', display: 'flex', gap: 8, alignItems: 'center' }}>
          <Button appearance="primary" label="Save" disabled={busy !== null} onClick={() => void onSave()} />
          {first === undefined ? null : testButton(first)}
          {busy === null ? null : <WaitSpinner size="medium" screenReaderText={busy} />}
        </div>
        {isChanged ? <Paragraph style={PARAGRAPH}>A test asks with what is saved: save first, then test.</Paragraph> : null}
        <Notices notices={notices} place={outcome} />
        {isDone ? <NextSteps /> : null}
        {shown?.map(({ provider, actions }) => (
          <section key={provider.id} aria-label={provider.title}>
            <Heading level={2} style={HEADING}>
              {provider.title}
            </Heading>
            <ProviderFields provider={provider} form={form} />
            {provider.id === FIRST_ID ? null : <div style={{ margin: '8px 0 32px' }}>{actions}</div>}
          </section>
        ))}
        <OwnSection form={form} />
        <section aria-label="Further sources">
          <Heading level={2} style={HEADING}>
            Further sources
          </Heading>
          {folded?.map(({ provider, actions }) => (
            <CollapsiblePanel key={provider.id} title={panelTitle(provider, form)} headingLevel={3}>
              <div style={{ padding: '8px 16px 16px' }}>
                <ProviderFields provider={provider} form={form} />
                {actions}
              </div>
            </CollapsiblePanel>
          ))}
        </section>
      </div>
    </div>
  );
}

function OwnSection({ form }: { readonly form: FormState }) {
  return (
    <section aria-label="Your own domains and networks">
      <Heading level={2} style={HEADING}>
        Your own domains and networks
      </Heading>
      <Paragraph style={PARAGRAPH}>
        What you name here is never sent to anybody. Private and reserved addresses are kept back anyway.
      </Paragraph>
      <OwnList name={OWN_DOMAINS} label="Own domains" help="One a line, such as example.com; everything below it counts too." form={form} />
      <OwnList name={OWN_NETWORKS} label="Own networks" help="One a line with its length, such as 198.51.100.0/24." form={form} />
    </section>
  );
}

function Notices({ notices, place }: { readonly notices: readonly Notice[]; readonly place: RefObject<HTMLDivElement> }) {
  return (
    <div ref={place} tabIndex={-1} aria-label="What came of it" role="group">
      {notices.map(({ kind, text }) => (
        <div key={text} role={kind === 'error' ? 'alert' : 'status'}>
          <Message appearance="fill" type={kind}>
            {text}
          </Message>
        </div>
      ))}
    </div>
  );
}

function panelTitle({ id, title, fields }: ProviderForm, { saved }: FormState): string {
  return fields.some(({ key, kind }) => kind === 'secret' && key !== 'proxy' && saved.secrets?.has(secretNameOf(id, key)))
    ? `${title} (key saved)`
    : title;
}

function OwnList({
  name,
  label,
  help,
  form,
}: {
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly form: FormState;
}) {
  const key = `${PRIVACY}.${name}`;
  const fault = form.faults.get(key);
  return (
    <ControlGroup label={label} help={help} error={fault ?? false}>
      <TextArea
        name={key}
        rowsMin={2}
        rowsMax={8}
        value={shownList(form.draft, form.saved, name)}
        error={fault !== undefined}
        disabled={form.isBusy}
        spellCheck={false}
        onChange={(_event, { value }) => form.onType(key, value)}
      />
    </ControlGroup>
  );
}
