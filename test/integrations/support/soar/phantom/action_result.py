"""What an action gives back, by the platform's documentation."""


class ActionResult:
    def __init__(self, param=None):
        self.param, self.data, self.summary, self.status, self.message = param or {}, [], {}, None, ""

    def add_data(self, item):
        self.data.append(item)

    def update_summary(self, more):
        self.summary.update(more)

    def set_status(self, status, message=""):
        self.status, self.message = status, message
        return status

    def as_dict(self):
        status = {True: "success", False: "failed"}[self.status]
        return {"status": status, "message": self.message, "data": self.data, "summary": self.summary, "parameter": self.param}
