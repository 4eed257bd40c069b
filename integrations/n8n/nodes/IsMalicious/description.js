'use strict';

const showFor = (...operation) => ({ show: { operation } });
const text = (name, displayName, operations, more) => ({
  displayName,
  name,
  type: 'string',
  default: '',
  required: true,
  displayOptions: showFor(...operations),
  ...more,
});

const OPERATIONS = [
  ['extract', 'Extract', 'Find the indicators in a text; looks nothing up'],
  ['lookup', 'Look Up', 'Verdict, score and tier of an indicator from all sources'],
  ['overrule', 'Overrule', 'Set the verdict of an indicator for every host of the pack'],
  ['triage', 'Triage', 'Decide about an alert: tier, what to do, note'],
  ['watch', 'Watch', 'Check an indicator again and again'],
].map(([value, name, action]) => ({ name, value, action: `${name} with is malicious`, description: action }));

const OPTIONS = [
  {
    displayName: 'Batch Size',
    name: 'batchSize',
    type: 'number',
    typeOptions: { minValue: 1, maxValue: 1000 },
    default: 100,
    description: 'Items that go to the sidecar in one call',
  },
  {
    displayName: 'Profile',
    name: 'profile',
    type: 'string',
    default: '',
    description: 'Keys and budgets of this profile of the sidecar',
  },
  {
    displayName: 'Time Limit in Milliseconds',
    name: 'timeoutMs',
    type: 'number',
    typeOptions: { minValue: 1, maxValue: 600000 },
    default: 20000,
    description: 'Answers hold what is there by then, as partial',
  },
  {
    displayName: 'TLP',
    name: 'tlp',
    type: 'options',
    options: ['AMBER', 'AMBER+STRICT', 'CLEAR', 'GREEN', 'RED'].map((value) => ({ name: value, value })),
    default: 'GREEN',
    description: 'Sources that are not cleared for it are not asked',
  },
];

/** The node as n8n shows it. */
const description = {
  displayName: 'isMalicious',
  name: 'isMalicious',
  icon: 'fa:shield-alt',
  group: ['transform'],
  version: 1,
  subtitle: '={{$parameter["operation"]}}',
  description: 'Threat enrichment through the isMalicious sidecar',
  defaults: { name: 'isMalicious' },
  inputs: ['main'],
  outputs: ['main'],
  usableAsTool: true,
  credentials: [{ name: 'isMaliciousSidecarApi', required: true }],
  properties: [
    { displayName: 'Operation', name: 'operation', type: 'options', noDataExpression: true, options: OPERATIONS, default: 'lookup' },
    text('indicator', 'Indicator', ['lookup', 'overrule', 'watch'], { description: 'Address, domain, URL or hash, defanged ones too' }),
    text('text', 'Text', ['extract'], { typeOptions: { rows: 4 }, description: 'Any text: a log line, a mail' }),
    {
      displayName: 'Alert',
      name: 'alert',
      type: 'json',
      default: '={{ $json }}',
      required: true,
      displayOptions: showFor('triage'),
      description: 'The alert as an object: ECS, CIM and common names',
    },
    {
      displayName: 'Verdict',
      name: 'verdict',
      type: 'options',
      options: [
        { name: 'Clean', value: 'clean' },
        { name: 'Malicious', value: 'malicious' },
        { name: 'Suspicious', value: 'suspicious' },
      ],
      default: 'malicious',
      required: true,
      displayOptions: showFor('overrule'),
    },
    text('author', 'Author', ['overrule', 'watch'], { description: 'Who says so' }),
    text('reason', 'Reason', ['overrule', 'watch'], { description: 'Why, for people' }),
    { displayName: 'Options', name: 'options', type: 'collection', placeholder: 'Add Option', default: {}, options: OPTIONS },
  ],
};

module.exports = { description };
