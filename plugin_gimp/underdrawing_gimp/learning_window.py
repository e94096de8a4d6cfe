"""t"""
from . import learning, record
from .service import connected
def run(call):
    known = record.need(call.image)
    v = call.values
    with connected("Learning") as service:
        body = learning.begin(service, call.image, known, learning.Lesson(v['method'],v['recipe'],v['budget'],v['device'],v['model_name']))
        last = learning.follow(service, body['job'], lambda e: None) if v['wait'] else {"state":"running","notes":[]}
    return body['model'], body['job'], last['state'], "\n".join(last['notes'])
