import pytest, httpx2
pytestmark = pytest.mark.anyio
async def test_it(backend):
    t = httpx2.ASGITransport(app=backend.app)
    async with httpx2.AsyncClient(transport=t, base_url="http://127.0.0.1") as c:
        r = await c.post(f"{backend.api}/auth/register", json={"email":"a@example.com","username":"aaa","password":"correct-horse-battery"})
    print(r.status_code, r.text)
