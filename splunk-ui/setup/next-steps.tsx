// What to do once the settings are saved.
import Button from '@splunk/react-ui/Button';
import Heading from '@splunk/react-ui/Heading';
import Paragraph from '@splunk/react-ui/Paragraph';

/** The list of this app's searches in Splunk's settings, as seen from the app's pages. */
const SEARCHES = '../../manager/ismalicious/saved/searches?app=ismalicious&search=isMalicious';

/** Which searches to enable, and where; then the page that says what is still missing. */
export function NextSteps() {
  return (
    <section aria-label="Next steps">
      <Heading level={2} style={{ margin: '16px 0 8px' }}>
        Next: enable these searches
      </Heading>
      <Paragraph style={{ margin: '8px 0' }}>
        All scheduled searches are off. Enable &quot;isMalicious - Enrich network traffic&quot; or &quot;isMalicious - Enrich notables&quot;, then
        &quot;isMalicious - Purge verdicts&quot; and &quot;isMalicious - Quota report&quot;. Start here shows what is on and what is missing.
      </Paragraph>
      <div style={{ margin: '8px 0 16px', display: 'flex', gap: 8 }}>
        <Button appearance="primary" label="Enable searches" to={SEARCHES} />
        <Button appearance="secondary" label="Start here" to="start_here" />
        <Button appearance="secondary" label="Look up an indicator" to="investigate" />
      </div>
    </section>
  );
}
