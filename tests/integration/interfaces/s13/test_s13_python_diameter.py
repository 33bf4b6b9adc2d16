import logging

import pytest
from s13_server import MME, SERVER, running

from ceir.equipment_check import EquipmentStatus
from vectors import VECTORS

diameter_node = pytest.importorskip("diameter.node", reason="needs python-diameter")

WORDS = {EquipmentStatus.PERMITTED: 0, EquipmentStatus.BLOCKED: 1, EquipmentStatus.TRACKED: 2}


def test_python_diameter_exchanges_capabilities_asks_every_vector_and_takes_leave() -> None:
    from diameter.message.avp.grouped import TerminalInformation, VendorSpecificApplicationId
    from diameter.message.commands import MeIdentityCheckRequest
    from diameter.node.application import SimpleThreadingApplication

    logging.getLogger("diameter").setLevel(logging.CRITICAL)
    with running() as server:
        node = diameter_node.Node(MME.host, MME.realm)
        node.wakeup_interval = 1
        peer = node.add_peer(
            f"aaa://{SERVER.host}:{server.port}", SERVER.realm, ip_addresses=["127.0.0.1"], is_persistent=True
        )
        application = SimpleThreadingApplication(16777252, is_auth_application=True)
        node.add_application(application, [peer])
        node.start()
        try:
            application.wait_for_ready(30)
            for question, answer in VECTORS:
                request = MeIdentityCheckRequest()
                request.session_id = node.session_generator.next_id()
                request.vendor_specific_application_id = VendorSpecificApplicationId(
                    vendor_id=10415, auth_application_id=16777252
                )
                request.auth_session_state = 1
                request.origin_host = MME.host.encode()
                request.origin_realm = MME.realm.encode()
                request.destination_realm = SERVER.realm.encode()
                request.terminal_information = TerminalInformation(
                    imei=f"{question.imei:014}",
                    software_version=None
                    if question.software_version is None
                    else f"{question.software_version:02}",
                )
                if question.imsi is not None:
                    request.user_name = str(question.imsi)[1:]
                came = application.send_request(request, timeout=30)
                assert came.session_id == request.session_id
                assert came.origin_host == SERVER.host.encode()
                assert came.auth_session_state == 1
                if answer.status is EquipmentStatus.UNKNOWN:
                    assert came.result_code is None
                    assert came.experimental_result.vendor_id == 10415
                    assert came.experimental_result.experimental_result_code == 5422
                else:
                    assert came.result_code == 2001
                    assert came.equipment_status == WORDS[answer.status]
        finally:
            node.stop(wait_timeout=5)
        assert server.service.counters.answered == len(VECTORS)
        assert server.service.counters.refused == {}
