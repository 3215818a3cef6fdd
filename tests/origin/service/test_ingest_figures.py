"""What is exported of publishers."""

from origin.observe.health.codes import Code
from origin.service.ingest_figures import ingest_families
from tests.support.broadcasts import broadcast
from tests.support.stations import Station


async def test_findings_are_exported_while_somebody_publishes() -> None:
    station = Station()
    broadcast(await station.publish(), 12.0, meanwhile=station.clock.advance)
    families = {family.name: family for family in ingest_families(station.registry)}
    codes = families["tidecast_ingest_health"].values
    assert len(codes) == len(Code)
    assert [labels for labels, value in codes.items() if value] == [("main", "audio_silent")]
    assert families["tidecast_ingest_frames_per_second"].values == {("main",): 25.0}
    assert families["tidecast_ingest_declared_bitrate_bits_per_second"].values == {}
    station.registry.close("over")
    assert all(not family.values for family in ingest_families(station.registry))
