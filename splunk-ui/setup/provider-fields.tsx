import Button from '@splunk/react-ui/Button';
import ControlGroup from '@splunk/react-ui/ControlGroup';
import Switch from '@splunk/react-ui/Switch';
import Text from '@splunk/react-ui/Text';
import { secretNameOf } from './fields.mts';
import type { Field, ProviderForm } from './fields.mts';
import { shownText } from './draft.ts';
import type { Draft, Removals, Saved } from './draft.ts';

/** What a group of settings needs to show itself and to say what was typed. */
export interface FormState {
  readonly draft: Draft;
  readonly saved: Saved;
  readonly faults: ReadonlyMap<string, string>;
  readonly removals: Removals;
  readonly isBusy: boolean;
  onType(name: string, text: string): void;
  onRemove(name: string, isRemoved: boolean): void;
}

/** The settings of one provider. */
export function ProviderFields({ provider, form }: { readonly provider: ProviderForm; readonly form: FormState }) {
  return (
    <>
      {keysFirst(provider.fields).map((field) => (
        <FieldRow key={field.key} provider={provider} field={field} form={form} />
      ))}
    </>
  );
}

/** The key first: it is what most people come for. A proxy's address is a secret, but no key. */
function keysFirst(fields: readonly Field[]): Field[] {
  const isKey = ({ key, kind }: Field) => kind === 'secret' && key !== 'proxy';
  return [...fields.filter(isKey), ...fields.filter((field) => !isKey(field))];
}

interface RowProps {
  readonly provider: ProviderForm;
  readonly field: Field;
  readonly form: FormState;
}

function FieldRow(props: RowProps) {
  if (props.field.kind === 'secret') return <SecretRow {...props} />;
  if (props.field.kind === 'switch') return <SwitchRow {...props} />;
  return <TextRow {...props} />;
}

function TextRow({ provider, field, form }: RowProps) {
  const name = secretNameOf(provider.id, field.key);
  const fault = form.faults.get(name);
  return (
    <ControlGroup label={field.label} help={field.help} error={fault ?? false}>
      <Text
        name={name}
        value={shownText(form.draft, form.saved, provider.id, field)}
        placeholder={field.preset}
        error={fault !== undefined}
        disabled={form.isBusy}
        spellCheck={false}
        autoComplete="off"
        onChange={(_event, { value }) => form.onType(name, value)}
      />
    </ControlGroup>
  );
}

function SecretRow({ provider, field, form }: RowProps) {
  const name = secretNameOf(provider.id, field.key);
  const fault = form.faults.get(name);
  const isKept = form.saved.secrets?.has(name) ?? false;
  const isRemoved = form.removals.has(name);
  const state = isRemoved ? 'Will be removed when you save.' : 'One is saved. Leave this empty to keep it.';
  return (
    <ControlGroup label={field.label} help={isKept ? `${state} ${field.help}` : field.help} error={fault ?? false} controlsLayout="none">
      <Text
        name={name}
        type="password"
        passwordVisibilityToggle
        value={form.draft[name] ?? ''}
        placeholder={isKept && !isRemoved ? '••••••••' : ''}
        error={fault !== undefined}
        disabled={form.isBusy}
        autoComplete="new-password"
        onChange={(_event, { value }) => form.onType(name, value)}
      />
      {isKept ? (
        <Button
          appearance="secondary"
          disabled={form.isBusy}
          label={isRemoved ? 'Keep it' : 'Remove'}
          aria-label={`${isRemoved ? 'Keep' : 'Remove'} the saved value of ${provider.title}, ${field.label}`}
          onClick={() => form.onRemove(name, !isRemoved)}
          style={{ marginTop: 8 }}
        />
      ) : null}
    </ControlGroup>
  );
}

function SwitchRow({ provider, field, form }: RowProps) {
  const name = secretNameOf(provider.id, field.key);
  const isOn = /^(true|t|1|yes|on)$/i.test(shownText(form.draft, form.saved, provider.id, field));
  return (
    <ControlGroup label={field.label} help={field.help} hideLabel>
      <Switch
        appearance="toggle"
        selected={isOn}
        disabled={form.isBusy}
        selectedLabel={field.label}
        unselectedLabel={field.label}
        onClick={() => form.onType(name, isOn ? 'false' : 'true')}
      >
        {field.label}
      </Switch>
    </ControlGroup>
  );
}
