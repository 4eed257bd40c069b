"""The base of a connector, by the platform's documentation."""


class BaseConnector:
    def __init__(self):
        self.config, self.identifier, self.results, self.progress, self.fault = {}, "", [], [], None

    def get_config(self):
        return self.config

    def get_action_identifier(self):
        return self.identifier

    def add_action_result(self, result):
        self.results.append(result)
        return result

    def save_progress(self, text):
        self.progress.append(text)

    def set_status(self, status, message=""):
        self.fault = None if status else message
        return status


def run(connector_class, config, identifier, parameters):
    """One action run: initialize, then handle_action for each set of parameters."""
    connector = connector_class()
    connector.config, connector.identifier = config, identifier
    if not connector.initialize():
        return {"action_results": [{"status": "failed", "message": connector.fault, "data": [], "summary": {}}], "progress": []}
    for one in parameters:
        connector.handle_action(one)
    return {"action_results": [result.as_dict() for result in connector.results], "progress": connector.progress}
