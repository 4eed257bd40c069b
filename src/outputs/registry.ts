import { abuseipdbOutput } from './abuseipdb.ts';
import { crowdstrike } from './crowdstrike.ts';
import { elasticsearch } from './elasticsearch.ts';
import { email } from './email.ts';
import { file } from './file.ts';
import { jira } from './jira.ts';
import { mispOutput } from './misp.ts';
import { openctiOutput } from './opencti.ts';
import type { Output } from './output.ts';
import { pagerduty } from './pagerduty.ts';
import { sentinelLogs } from './sentinel-logs.ts';
import { sentinel } from './sentinel.ts';
import { servicenow } from './servicenow.ts';
import { slack } from './slack.ts';
import { splunkHec } from './splunk-hec.ts';
import { teams } from './teams.ts';
import { thehive } from './thehive.ts';
import { virustotalOutput } from './virustotal.ts';
import { webhook } from './webhook.ts';

/** The platforms that take indicators in bulk. */
const PLATFORMS = [splunkHec, sentinel, sentinelLogs, crowdstrike, mispOutput, elasticsearch, file, webhook];
/** The places where people are told. */
const NOTICES = [jira, servicenow, pagerduty, thehive, slack, teams, email];

/** The sources that are told what our alerts met. */
const WRITE_BACK = [abuseipdbOutput, virustotalOutput, openctiOutput];

/** Every output there is. All are off until somebody turns them on. */
export const OUTPUTS = [...PLATFORMS, ...NOTICES, ...WRITE_BACK] as unknown as readonly Output[];
